import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from model import inputs
from model.config import autoencoder, autoencoder_mini
from tfrecords import dataset
from tfrecords.errors import UserError

CONFIG = dataclasses.replace(autoencoder_mini(), flip=False)
COUNT = 9


def pipeline(make: inputs.DatasetFn, pipelines: int = 1, index: int = 0, replicas: int = 1) -> tf.data.Dataset:
    return make(tf.distribute.InputContext(pipelines, index, replicas))


def batches(data_dir: str, step: int, count: int, config=CONFIG, **context) -> list[tuple[np.ndarray, np.ndarray]]:
    made = pipeline(inputs.training(data_dir, config, COUNT, step), **context)
    return list(made.take(count).as_numpy_iterator())


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


def test_validation_gives_every_example_once_and_weighs_the_filling_zero(data_dir):
    [(luminance, _, weight)] = pipeline(inputs.validation(data_dir, CONFIG, 3)).as_numpy_iterator()
    assert weight.tolist() == [1, 1, 1, 0]
    stored = {one.tobytes() for one, _ in dataset.load(data_dir, "validation").as_numpy_iterator()}
    assert set(keys(luminance[:3])) == stored


def test_pictures_of_another_size_are_refused(data_dir):
    with pytest.raises(UserError, match=r"32 px.*256 px.*--size=256"):
        inputs.describe(data_dir, autoencoder())
