"""Orientation in the graph, against what the job reads and does."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from model import graph_exif
from pipelines.images import orientation

# In a graph, as models run it; call by call, each of its operations would take its time.
ORIENTATION = tf.function(graph_exif.orientation, input_signature=[tf.TensorSpec([], tf.string)])
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("encoding", ["JPEG", "PNG"])
def test_files_say_how_they_were_held(encoding):
    for value in (None, 0, 1, 3, 6, 8, 9):
        file, exif = io.BytesIO(), Image.Exif()
        if value is not None:
            exif[0x0112] = value
            exif[0x010F] = "a camera's maker"
        Image.fromarray(PIXELS).save(file, encoding, exif=exif)
        found = ORIENTATION(tf.constant(file.getvalue()))
        assert int(found) == orientation.of(Image.open(io.BytesIO(file.getvalue())))


def test_pixels_are_turned_as_the_job_turns_them():
    for turn in range(1, 9):
        found = graph_exif.upright(tf.constant(PIXELS), tf.constant(turn)).numpy()
        np.testing.assert_array_equal(found, orientation.upright(PIXELS, turn))


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("width", [2, 4])
def test_orientation_is_read_in_both_byte_orders_and_never_by_accident(order, width):
    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)

    def jpeg(tag: int, value: int, *, name: bytes = b"Exif\0\0") -> tf.Tensor:
        start = (b"II*\0" if order == "little" else b"MM\0*") + number(8, 4)
        entry = number(tag, 2) + number({2: 3, 4: 4}[width], 2) + number(1, 4) + number(value, width).ljust(4, b"\0")
        block = name + start + number(1, 2) + entry + number(0, 4)
        comment = b"\xff\xfe\x00\x0aExif\0\0\0\0"
        segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
        return tf.constant(b"\xff\xd8" + comment + b"\xff" + segment + b"\xff\xda" + b"\0" * 40)

    assert int(ORIENTATION(jpeg(0x0112, 6))) == 6
    assert int(ORIENTATION(jpeg(0x0112, 9))) == 1
    assert int(ORIENTATION(jpeg(0x0113, 6))) == 1
    assert int(ORIENTATION(jpeg(0x0112, 6, name=b"Exit\0\0"))) == 1
    cut = jpeg(0x0112, 6).numpy()
    for length in range(0, len(cut), 5):
        assert int(ORIENTATION(tf.constant(cut[:length]))) in (1, 6)
