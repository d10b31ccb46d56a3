import io

import google_crc32c
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfrecords.shards import Shard, ShardWriter, checksum, read_records, shard_name

RECORDS = [b"first", b"", bytes(range(256)), b"\x00" * 40, "ü".encode()]


def written(records: list[bytes]) -> bytes:
    file = io.BytesIO()
    writer = ShardWriter(file)
    for record in records:
        writer.write(record)
    return file.getvalue()


def read(data: bytes) -> list[bytes]:
    return list(read_records(io.BytesIO(data)))


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_round_trip(records):
    assert read(written(records)) == records


def test_tensorflow_reads_what_was_written(tmp_path):
    path = tmp_path / "records"
    path.write_bytes(written(RECORDS))
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(path))] == RECORDS


def test_what_tensorflow_wrote_is_read_and_is_the_same_file(tmp_path):
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    assert path.read_bytes() == written(RECORDS)
    with path.open("rb") as file:
        assert list(read_records(file)) == RECORDS


def test_the_account_is_that_of_the_file():
    file = io.BytesIO()
    writer = ShardWriter(file)
    assert writer.finished("none") == Shard(name="none", count=0, bytes=0, crc32c=0)
    for record in RECORDS:
        writer.write(record)
    data = file.getvalue()
    assert writer.finished("x") == Shard(
        name="x", count=len(RECORDS), bytes=len(data), crc32c=google_crc32c.value(data)
    )


def test_cut_short_at_every_byte():
    data = written(RECORDS)
    ends = np.cumsum([0] + [16 + len(record) for record in RECORDS]).tolist()
    assert ends[-1] == len(data)
    for length in range(len(data)):
        if length in ends:
            assert read(data[:length]) == RECORDS[: ends.index(length)]
        else:
            start = max(end for end in ends if end <= length)
            with pytest.raises(ValueError, match=f"cut short at byte {start}$"):
                read(data[:length])


@given(st.integers(0, len(written(RECORDS)) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_found_in_its_record(position, bit):
    data = bytearray(written(RECORDS))
    data[position] ^= 1 << bit
    good: list[bytes] = []
    with pytest.raises(ValueError, match="wrong checksum"):
        good.extend(read_records(io.BytesIO(data)))
    assert good == RECORDS[: len(good)]
    assert sum(16 + len(record) for record in good) <= position


@given(st.binary(min_size=1, max_size=100))
def test_garbage_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"cut short|wrong checksum"):
        read(data)


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_checksum_of_a_stream(chunks):
    data = b"".join(chunks)
    assert checksum(chunks) == (len(data), google_crc32c.value(data))


def test_shard_name():
    assert shard_name("train", 3, 16) == "train-00003-of-00016.tfrecord"
