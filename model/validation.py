"""Validation: the loss of the averaged weights on the held-out examples, in parts, so that signals are answered."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from model import agreement, inputs, networks, pace, tensorboard
from model.config import Config
from model.learner import Learner
from tfrecords.description import Description

SHOWN = 4
"""Validation examples in the pictures for TensorBoard."""


class Validation:
    """The held-out examples of a run.

    Attributes:
        count: how many there are, at most `inputs.VALIDATION_EXAMPLES`.
        batches: in which they are taken.
    """

    def __init__(
        self, config: Config, data_dir: str, description: Description, strategy: tf.distribute.Strategy
    ) -> None:
        """Prepare the examples of a set for all replicas of a strategy."""
        self.count = inputs.validation_count(description)
        self.batches = math.ceil(self.count / config.batch_size)
        self._config = config
        self._strategy = strategy
        self._make = inputs.validation(data_dir, config, description)
        self._held_out = strategy.distribute_datasets_from_function(self._make)

    def loss(self, learner: Learner, clock: Callable[[], float], stop: Callable[[], bool]) -> float | None:
        """Return the mean loss over the examples, each counted once; None if `stop` ended it before the last batch.

        It does not depend on the parts: the sum goes on from one to the next.

        Args:
            learner: whose averaged weights are validated.
            clock: gives seconds; each part takes about `pace.CALL_SECONDS`.
            stop: asked after each part; the workers agree on the answer.
        """
        iterator = iter(self._held_out)
        total, done, part = tf.constant(0.0), 0, 1
        while done < self.batches:
            begun = clock()
            count = min(part, self.batches - done)
            total = learner.validate(iterator, tf.constant(count), total)
            total.numpy()  # waits for it
            done += count
            seconds, stopping = agreement.means(self._strategy, (clock() - begun) / count, stop())
            if stopping and done < self.batches:
                return None
            part = pace.steps_a_call(seconds)
        return float(total) / self.count

    def pictures(self, learner: Learner) -> Any:
        """Return the first examples as a sheet: luminance, prediction, truth."""
        luminance, truth, _ = next(iter(self._make(tf.distribute.InputContext()).take(1)))
        shown = min(SHOWN, self.count)
        small = dataclasses.replace(self._config, size=self._config.resolution, export_resolution=0)
        output = learner.averaged(networks.arguments(learner.averaged, luminance[:shown]), training=False)
        chroma = networks.decode(small, tf.cast(output, tf.float32))
        return tensorboard.grid(luminance[:shown].numpy(), chroma.numpy(), truth[:shown].numpy())
