import dataclasses

import examples
import numpy as np
import pytest
import tensorflow as tf

from model import inputs
from model.config import autoencoder, mini
from tfrecords import dataset
from tfrecords.errors import UserError
from tfrecords.example import LabExample

CONFIG = dataclasses.replace(mini(autoencoder()), flip=False)


def pipeline(make: inputs.DatasetFn, pipelines: int = 1, index: int = 0, replicas: int = 1) -> tf.data.Dataset:
    return make(tf.distribute.InputContext(pipelines, index, replicas))


def batches(data_dir: str, step: int, count: int, config=CONFIG, **context) -> list[tuple[np.ndarray, ...]]:
    return examples.batches(data_dir, config, step, count, **context)


def keys(luminance: np.ndarray) -> list[bytes]:
    return [one.tobytes() for one in luminance]


def test_each_pass_gives_every_example_once_in_a_new_order_and_as_stored(data_dir):
    stored = {luminance.tobytes(): ab for luminance, ab in dataset.load(data_dir, "train").as_numpy_iterator()}
    stream = [pair for batch in batches(data_dir, 0, 9) for pair in zip(*batch, strict=True)]
    passes = [[luminance.tobytes() for luminance, _ in stream[9 * i : 9 * i + 9]] for i in range(4)]
    assert all(set(one) == set(stored) for one in passes)
    assert len({tuple(one) for one in passes}) == 4
    for luminance, chroma in stream:
        assert luminance.shape == (32, 32, 1)
        np.testing.assert_array_equal(stored[luminance.tobytes()], chroma)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_the_stream_goes_on_at_any_step(data_dir, step):
    config = dataclasses.replace(CONFIG, flip=True)
    whole = batches(data_dir, 0, step + 3, config)
    rest = batches(data_dir, step, 3, config)
    for (l1, ab1), (l2, ab2) in zip(whole[step:], rest, strict=True):
        np.testing.assert_array_equal(l1, l2)
        np.testing.assert_array_equal(ab1, ab2)


def test_the_seed_decides_the_order(data_dir):
    first, other = batches(data_dir, 0, 2), batches(data_dir, 0, 2, dataclasses.replace(CONFIG, seed=1))
    assert keys(first[0][0]) != keys(other[0][0])


def test_flips_mirror_luminance_and_chroma_together(data_dir):
    plain, flipped = batches(data_dir, 0, 6), batches(data_dir, 0, 6, dataclasses.replace(CONFIG, flip=True))
    mirrored = 0
    for (l1, ab1), (l2, ab2) in zip(plain, flipped, strict=True):
        for i in range(len(l1)):
            if np.array_equal(l1[i], l2[i]):
                np.testing.assert_array_equal(ab1[i], ab2[i])
            else:
                np.testing.assert_array_equal(l1[i][:, ::-1], l2[i])
                np.testing.assert_array_equal(ab1[i][:, ::-1], ab2[i])
                mirrored += 1
    assert 6 <= mirrored <= 18


def test_workers_share_the_batches_of_one(data_dir):
    whole = [set(keys(luminance)) for luminance, _ in batches(data_dir, 1, 3)]
    parts = [batches(data_dir, 1, 3, pipelines=2, index=index, replicas=2) for index in (0, 1)]
    for step, expected in enumerate(whole):
        shares = [keys(part[step][0]) for part in parts]
        assert [len(share) for share in shares] == [2, 2]
        assert set(shares[0]) | set(shares[1]) == expected


def test_validation_sees_the_first_2048_examples_and_no_more(data_dir, monkeypatch):
    description = dataset.read_description(data_dir)
    [shard, *_] = description.splits["validation"]
    large = dataclasses.replace(description, splits={"validation": [dataclasses.replace(shard, count=5000)]})
    assert inputs.validation_count(large) == 2048
    assert inputs.validation_count(description) == 3
    monkeypatch.setattr(inputs, "VALIDATION_EXAMPLES", 2)
    [(luminance, _, weight)] = pipeline(inputs.validation(data_dir, CONFIG, description)).as_numpy_iterator()
    assert weight.tolist() == [1, 1, 0, 0]
    stored = [one.tobytes() for one, _ in dataset.load(data_dir, "validation").as_numpy_iterator()]
    assert keys(luminance[:2]) == stored[:2]


def test_shards_and_their_records_are_shuffled_apart():
    seeds = inputs._order_seeds(dataclasses.replace(CONFIG, seed=3), tf.constant(2, tf.int64))
    places = tf.data.Dataset.range(300)
    orders = [list(places.shuffle(300, seed=seed).as_numpy_iterator()) for seed in seeds]
    assert abs(np.corrcoef(*orders)[0, 1]) < 0.2


def test_pictures_are_reduced_to_the_resolution(data_dir):
    config = dataclasses.replace(CONFIG, resolution=16)
    [whole] = pipeline(inputs.validation(data_dir, CONFIG, dataset.read_description(data_dir))).as_numpy_iterator()
    [small] = pipeline(inputs.validation(data_dir, config, dataset.read_description(data_dir))).as_numpy_iterator()
    for full, reduced in zip(whole[:2], small[:2], strict=True):
        expected = full.reshape(4, 16, 2, 16, 2, -1).mean(axis=(2, 4))
        np.testing.assert_allclose(reduced, expected, atol=0.51 / 128)


def test_a_large_set_is_read_again_in_a_new_order_and_goes_on_at_any_step(data_dir, monkeypatch):
    monkeypatch.setattr(inputs, "CACHE_BYTES", 0)
    config = dataclasses.replace(CONFIG, flip=True, crop=0.9)
    whole = batches(data_dir, 0, 7, config)
    rest = batches(data_dir, 4, 3, config)
    for (l1, ab1), (l2, ab2) in zip(whole[4:], rest, strict=True):
        np.testing.assert_array_equal(l1, l2)
        np.testing.assert_array_equal(ab1, ab2)
    orders = [keys(luminance) for luminance, _ in batches(data_dir, 0, 9)]
    stream = [key for order in orders for key in order]
    passes = [stream[9 * i : 9 * i + 9] for i in range(4)]
    assert all(len(set(one)) == 9 for one in passes)
    assert len({tuple(one) for one in passes}) == 4


def test_workers_share_a_large_set_by_file(data_dir, monkeypatch):
    monkeypatch.setattr(inputs, "CACHE_BYTES", 0)
    parts = [batches(data_dir, 0, 10, pipelines=2, index=index, replicas=2) for index in (0, 1)]
    seen = [{key for luminance, _ in part for key in keys(luminance)} for part in parts]
    # Nine examples in shards of five and four.
    assert [len(one) for one in seen] == [5, 4]
    assert seen[0].isdisjoint(seen[1])
    rest = batches(data_dir, 6, 4, pipelines=2, index=1, replicas=2)
    for (l1, _), (l2, _) in zip(parts[1][6:], rest, strict=True):
        np.testing.assert_array_equal(l1, l2)


@pytest.mark.parametrize("cache", [inputs.CACHE_BYTES, 0])
def test_names_are_those_of_the_batch(data_dir, monkeypatch, cache):
    monkeypatch.setattr(inputs, "CACHE_BYTES", cache)
    description = dataset.read_description(data_dir)
    stored = {}
    for shard in description.splits["train"]:
        for record in tf.data.TFRecordDataset(f"{data_dir}/{shard.name}").as_numpy_iterator():
            example = LabExample.from_bytes(record)
            stored[(example.luminance[..., None] / np.float32(255)).tobytes()] = example.name
    for step in (0, 5):
        found = inputs.names(data_dir, CONFIG, description, step, tf.distribute.InputContext())
        [(luminance, _)] = batches(data_dir, step, 1)
        assert found == [stored[key] for key in keys(luminance)]


def test_validation_gives_every_example_once_and_weighs_the_filling_zero(data_dir):
    [(luminance, _, weight)] = pipeline(
        inputs.validation(data_dir, CONFIG, dataset.read_description(data_dir))
    ).as_numpy_iterator()
    assert weight.tolist() == [1, 1, 1, 0]
    stored = {one.tobytes() for one, _ in dataset.load(data_dir, "validation").as_numpy_iterator()}
    assert set(keys(luminance[:3])) == stored


def test_pictures_smaller_than_the_network_sees_are_refused(data_dir):
    with pytest.raises(UserError, match=r"32 px.*256 px.*--size=256"):
        inputs.describe(data_dir, autoencoder())


def test_a_set_of_any_larger_size_can_be_trained_on(write_set, tmp_path):
    data = write_set(tmp_path / "larger", 48)
    [(luminance, chroma)] = batches(data, 0, 1)
    assert luminance.shape[1:] == (32, 32, 1)
    assert chroma.shape[1:] == (32, 32, 2)
    stored = next(iter(dataset.load(data, "train").batch(9)))[0].numpy()
    small = tf.image.resize(stored, [32, 32], tf.image.ResizeMethod.AREA).numpy()
    nearest = [np.abs(small - one).max(axis=(1, 2, 3)).min() for one in luminance]
    assert max(nearest) < 1 / 255
