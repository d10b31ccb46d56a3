import pytest

from tfrecords.example import _example_class
from tfrecords.wire import serialized


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 100_000])
def test_the_bytes_are_those_of_protobuf(size):
    message = _example_class()()
    feature = message.features.feature
    feature["name"].bytes_list.value.append(b"x" * size)
    feature["height"].int64_list.value.append(size)
    feature["ü"].bytes_list.value.append(b"")
    found = serialized({"name": b"x" * size, "height": size, "ü": b""})
    assert found == message.SerializeToString(deterministic=True)
