"""Two logical CPU devices for the whole session, and small prepared sets of real photographs."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from training_run import CONFIG

from model import strategy, trainer
from pipelines import pack
from tfrecords import color
from tfrecords.description import FILE_NAME, Description
from tfrecords.example import LabExample
from tfrecords.shards import ShardWriter, shard_name

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


def _crops(size: int) -> list[tuple[str, np.ndarray]]:
    """Three square crops of each of four colour photographs, uint8 [size, size, 3]."""
    found = []
    for name in PHOTOS:
        photo = getattr(skimage.data, name)()
        side = min(photo.shape[:2])
        for index, left in enumerate(np.linspace(0, photo.shape[1] - side, 3).astype(int)):
            square = np.ascontiguousarray(photo[:side, left : left + side])
            if index == 2:
                square = np.ascontiguousarray(square[side // 4 :, side // 4 :])
            found.append((f"{name}-{index}.png", cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)))
    return found


def _write_set(folder: Path, size: int, validation: int = 3) -> str:
    """Write a prepared set of the 12 crops, the first `validation` of them held out."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = []
    for name, rgb in _crops(size):
        lab = color.srgb_to_lab(rgb)
        examples.append(
            LabExample(
                luminance=color.quantize_luminance(np.ascontiguousarray(lab[..., 0])),
                chroma=color.quantize_chroma(np.ascontiguousarray(lab[..., 1:])),
                height=size,
                width=size,
                name=name,
            )
        )
    splits = {}
    for split, part in (("train", examples[validation:]), ("validation", examples[:validation])):
        halves = [half for half in (part[::2], part[1::2]) if half]
        splits[split] = []
        for index, half in enumerate(halves):
            name = shard_name(split, index, len(halves))
            with (folder / name).open("wb") as file:
                writer = ShardWriter(file)
                for example in half:
                    writer.write(example.to_bytes())
                splits[split].append(writer.finished(name))
    description = Description(size=size, splits=splits, settings={}, outcomes={"written": len(examples)})
    (folder / FILE_NAME).write_text(description.to_json())
    return str(folder)


@pytest.fixture(scope="session")
def write_set() -> Callable[..., str]:
    """The function that writes a prepared set: (folder, size, validation=3) -> folder."""
    return _write_set


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A prepared set of 32 px: 9 training and 3 validation examples."""
    return _write_set(tmp_path_factory.mktemp("data") / "records", 32)


@pytest.fixture(scope="session")
def packed(data_dir: str) -> str:
    """The packs of that set."""
    output = str(Path(data_dir).parent / "packs")
    pack.pack(data_dir, output, side=32, quality=90, file_mib=1, seed=0)
    return output


@pytest.fixture(scope="session")
def undisturbed(data_dir: str, made_once: Callable[..., Path]) -> Path:
    """The folder of a run of `training_run.CONFIG` that nothing happened to."""
    return made_once("undisturbed", lambda output: trainer.train(CONFIG, data_dir, str(output), strategy.make("one")))
