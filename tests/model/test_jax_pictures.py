import dataclasses
from collections import Counter

import numpy as np
import pytest

from model import jax_pictures, packs
from model.config import autoencoder, mini
from pipelines.pack import LabExample
from tfrecords.errors import UserError
from tfrecords.shards import read_records

CONFIG = mini(autoencoder())


def training(packed, config=CONFIG, memory=None) -> jax_pictures.Training:
    return jax_pictures.Training(packed, jax_pictures.describe(packed, config), config, 20, memory)


def test_codes_are_those_of_the_records(packed, data_dir, tmp_path):
    records = []
    for path in sorted(tmp_path.__class__(data_dir).glob("validation*.tfrecord")):
        with path.open("rb") as file:
            records += [LabExample.from_bytes(record) for record in read_records(file)]
    found = jax_pictures.validation(packed, packs.describe(packed), CONFIG)
    assert found.shape == (3, 32, 32, 3)
    for codes, record in zip(found, records, strict=True):
        assert np.abs(codes[..., 0].astype(float) - record.luminance).mean() < 6
        assert np.abs(codes[..., 1:].astype(float) - record.chroma).mean() < 6


def test_a_smaller_side_is_the_mean_of_the_codes(packed):
    [picture, *_] = packs.read(packed, packs.describe(packed), "train")
    whole = jax_pictures.codes(picture, 32).astype(float)
    mean = whole.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(jax_pictures.codes(picture, 16) - mean).max() <= 0.75


def test_each_pass_has_every_picture_once_in_an_order_of_its_own(packed):
    stream = training(packed).places(0).ravel()  # 20 steps of 4 of 9 pictures
    passes = stream[: 8 * 9].reshape(8, 9)
    assert all(Counter(one.tolist()) == Counter(range(9)) for one in passes)
    assert len({tuple(one) for one in passes.tolist()}) == 8


def test_a_stream_goes_on_at_any_step(packed):
    whole = training(packed)
    np.testing.assert_array_equal(training(packed).places(7)[:5], whole.places(0)[7:12])
    other = training(packed, dataclasses.replace(CONFIG, seed=1))
    assert not np.array_equal(other.places(0), whole.places(0))


def test_streamed_pictures_are_the_resident_ones(packed):
    resident = training(packed)
    pool, places = resident.resident(), resident.places(3)
    stream = training(packed, memory=1)
    assert stream.resident() is None
    found = stream.streamed(3, 2).reshape(20, 4, 32, 32, 3)
    np.testing.assert_array_equal(found[:2], pool[places[:2]])
    assert not found[2:].any()
    np.testing.assert_array_equal(stream.streamed(5, 1)[:4], pool[places[2]])
    stream.close()


def test_pictures_of_a_step_are_named(packed):
    found = training(packed)
    names = found.names(2)
    assert names == [f"train-00000-of-00001.pack {place}" for place in found.places(2)[0]]


def test_batches_of_one_size_count_each_picture_once():
    batches = jax_pictures.evenly(10, 4)
    assert [counted for _, counted in batches] == [4, 4, 2]
    assert np.concatenate([places[:counted] for places, counted in batches]).tolist() == list(range(10))
    assert all(len(places) == 4 for places, _ in batches)


def test_packs_that_do_not_fit_are_refused(packed, tmp_path):
    with pytest.raises(UserError, match="pack with --side=64 or more"):
        jax_pictures.describe(packed, dataclasses.replace(CONFIG, size=64, resolution=64))
    contents = packs.describe(packed)
    empty = dataclasses.replace(contents, splits={"train": [], "validation": []})
    (tmp_path / packs.FILE_NAME).write_text(empty.to_json())
    with pytest.raises(UserError, match="has no training pictures"):
        jax_pictures.describe(str(tmp_path), CONFIG)
