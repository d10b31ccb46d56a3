"""The bytes of a ``tf.train.Example``, without TensorFlow or protobuf, which take longer than the rest of a record.

The format is that of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/) for example.proto and
feature.proto of TensorFlow. Features are sorted by name, as protobuf's deterministic serialisation sorts them.
"""

from collections.abc import Mapping

# Field numbers of Example, Features, the entries of its map, Feature, and the three lists.
_FEATURES = _FEATURE = _KEY = _BYTES_LIST = _VALUES = 1
_VALUE, _INT64_LIST = 2, 3
_LENGTH_DELIMITED = 2  # wire type


def serialized(features: Mapping[str, bytes | int]) -> bytes:
    """Return an Example.

    Args:
        features: by name, each with one value; numbers are at least 0.
    """
    parts: list[bytes] = []
    for name, value in sorted(features.items()):
        is_number = isinstance(value, int)
        data = _varint(value) if isinstance(value, int) else value
        values = _head(_VALUES, len(data))
        kind = _head(_INT64_LIST if is_number else _BYTES_LIST, len(values) + len(data))
        feature = _head(_VALUE, len(kind) + len(values) + len(data)) + kind + values
        key = name.encode()
        entry = _head(_KEY, len(key)) + key + feature
        parts += [_head(_FEATURE, len(entry) + len(data)) + entry, data]
    return b"".join([_head(_FEATURES, sum(map(len, parts))), *parts])


def _head(field: int, length: int) -> bytes:
    return bytes([field << 3 | _LENGTH_DELIMITED]) + _varint(length)


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)
