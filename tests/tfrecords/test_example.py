import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrecords import color
from tfrecords.example import FEATURES, LabExample, _example_class, synset_of

SIZE = 64


@pytest.fixture(scope="module")
def example(photos) -> LabExample:
    lab = color.srgb_to_lab(np.ascontiguousarray(photos["coffee"][100 : 100 + SIZE, 200 : 200 + SIZE]))
    return LabExample(
        luminance=color.quantize_luminance(np.ascontiguousarray(lab[..., 0])),
        chroma=color.quantize_chroma(np.ascontiguousarray(lab[..., 1:])),
        height=400,
        width=600,
        name="train/n01440764/ein Kännchen ☕ [1].jpg",
        synset="n01440764",
    )


def test_round_trip(example):
    again = LabExample.from_bytes(example.to_bytes())
    np.testing.assert_array_equal(again.luminance, example.luminance)
    assert again.chroma.shape == (SIZE, SIZE, 2)
    assert again.chroma.dtype == np.uint8
    error = np.abs(again.chroma.astype(int) - example.chroma)
    assert error.mean() < 1
    assert np.percentile(error, 99) <= 4
    for field in ("height", "width", "name", "synset"):
        assert getattr(again, field) == getattr(example, field)


def test_tensorflow_reads_what_was_written(example):
    parsed = tf.train.Example.FromString(example.to_bytes())
    feature = parsed.features.feature
    assert set(feature) == set(FEATURES)
    assert feature["luminance"].bytes_list.value[0] == example.luminance.tobytes()
    planes = tf.io.decode_jpeg(feature["chroma"].bytes_list.value[0], dct_method="INTEGER_ACCURATE").numpy()
    assert planes.shape == (2 * SIZE, SIZE, 1)
    decoded = LabExample.from_bytes(example.to_bytes()).chroma
    np.testing.assert_array_equal(planes[:SIZE, :, 0], decoded[..., 0])
    np.testing.assert_array_equal(planes[SIZE:, :, 0], decoded[..., 1])
    assert feature["height"].int64_list.value[0] == 400
    assert feature["width"].int64_list.value[0] == 600
    assert feature["name"].bytes_list.value[0].decode() == example.name
    assert feature["synset"].bytes_list.value[0] == b"n01440764"


def test_messages_have_the_schema_of_tensorflow():
    for name in ("Example", "Features", "Feature", "BytesList", "FloatList", "Int64List"):
        ours = _example_class().DESCRIPTOR.file.message_types_by_name[name]
        theirs = getattr(tf.train, name).DESCRIPTOR
        assert [(one.name, one.number, one.type, one.is_repeated, one.is_packed) for one in ours.fields] == [
            (one.name, one.number, one.type, one.is_repeated, one.is_packed) for one in theirs.fields
        ]
        assert [one.name for one in ours.oneofs] == [one.name for one in theirs.oneofs]


def test_what_tensorflow_wrote_is_read(example):
    rewritten = tf.train.Example.FromString(example.to_bytes()).SerializeToString()
    again = LabExample.from_bytes(rewritten)
    np.testing.assert_array_equal(again.luminance, example.luminance)
    assert again.name == example.name


def test_equal_examples_give_equal_bytes_in_every_process(example):
    first = example.to_bytes()
    assert LabExample(**vars(example)).to_bytes() == first
    code = (
        "import sys, hashlib, numpy as np; from tfrecords.example import LabExample\n"
        "a = np.arange(64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)\n"
        "e = LabExample(luminance=a[..., 0], chroma=a[..., 1:], height=7, width=8, name='ü.jpg', synset='')\n"
        "assert 'tensorflow' not in sys.modules\n"
        "print(hashlib.sha256(e.to_bytes()).hexdigest())"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1


def test_a_name_that_is_not_utf_8_keeps_its_bytes(example):
    name = b"caf\xe9.jpg".decode(errors="surrogateescape")
    record = LabExample(**vars(example) | {"name": name}).to_bytes()
    assert tf.train.Example.FromString(record).features.feature["name"].bytes_list.value[0] == b"caf\xe9.jpg"
    assert LabExample.from_bytes(record).name == name


@given(st.text(), st.integers(0, 2**31))
@settings(max_examples=30)
def test_any_name_and_size(name, side):
    if any("\ud800" <= char <= "\udfff" for char in name):
        return
    pixels = np.zeros((8, 8, 3), np.uint8)
    again = LabExample.from_bytes(
        LabExample(luminance=pixels[..., 0], chroma=pixels[..., 1:], height=side, width=side + 1, name=name).to_bytes()
    )
    assert (again.name, again.height, again.width) == (name, side, side + 1)


@given(st.binary(max_size=200))
def test_garbage_is_a_value_error(data):
    with pytest.raises(ValueError, match="not a Lab example"):
        LabExample.from_bytes(data)


@given(data=st.data())
def test_a_damaged_example_is_a_value_error_or_still_one(example, data):
    record = bytearray(example.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    record = record[: data.draw(st.integers(0, len(record)))]
    try:
        again = LabExample.from_bytes(bytes(record))
    except ValueError:
        return
    assert again.chroma.shape == (*again.luminance.shape, 2)


def test_another_kind_of_example_is_a_value_error():
    feature = {"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))}
    foreign = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    with pytest.raises(ValueError, match="not a Lab example of spec version 1"):
        LabExample.from_bytes(foreign)


@pytest.mark.parametrize(
    ("name", "synset"),
    [
        ("n01440764/a.jpg", "n01440764"),
        ("train/n01440764/n02105855/a.jpg", "n02105855"),
        ("n01440764/more/a.jpg", "n01440764"),
        ("n01440764", ""),
        ("a/n0144076/b.jpg", ""),
        ("a/n014407640/b.jpg", ""),
        ("a/N01440764/b.jpg", ""),
        ("n01440764.jpg", ""),
        ("", ""),
    ],
)
def test_synset_of(name, synset):
    assert synset_of(name) == synset
