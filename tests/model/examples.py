"""What the trainer sees of a prepared set: its input, made into examples."""

import numpy as np
import tensorflow as tf

from model import augment, inputs
from model.config import Config
from tfrecords import dataset


def batches(
    data_dir: str, config: Config, step: int, count: int, pipelines: int = 1, index: int = 0, replicas: int = 1
) -> list[tuple[np.ndarray, ...]]:
    """Return batches of luminance, chroma and, where the configuration has them, hints."""
    make = inputs.training(data_dir, config, dataset.read_description(data_dir), step)
    made = make(tf.distribute.InputContext(pipelines, index, replicas)).take(count)
    return [tuple(np.asarray(part) for part in augment.examples(config, *batch)) for batch in made]
