import dataclasses

import numpy as np
import pytest

from model import networks, weights
from model.config import autoencoder, mini
from model.weights import Weights
from tfrecords.errors import UserError

CONFIG = mini(autoencoder())


@pytest.fixture
def made(tmp_path) -> str:
    arrays = networks.build(CONFIG).get_weights()
    path = str(tmp_path / weights.FILE)
    weights.write(path, Weights(config=CONFIG, arrays=arrays, data={"fingerprint": "f00d"}, training={"steps": 3}))
    return path


def test_what_was_written_is_read(made, tmp_path):
    found = weights.read(made)
    assert (found.config, found.data, found.training) == (CONFIG, {"fingerprint": "f00d"}, {"steps": 3})
    for one, other in zip(found.arrays, networks.build(CONFIG).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [path.name for path in tmp_path.iterdir()] == [weights.FILE]


def test_half_precision_becomes_float32(made):
    found = weights.read(made)
    weights.write(made, dataclasses.replace(found, arrays=[array.astype(np.float16) for array in found.arrays]))
    assert {array.dtype for array in weights.read(made).arrays} == {np.dtype(np.float32)}


def test_a_file_that_is_damaged_or_missing_is_named(made, tmp_path):
    whole = (tmp_path / weights.FILE).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for data in (whole[:-100], bytes(flipped), b"", b"{}"):
        (tmp_path / weights.FILE).write_bytes(data)
        with pytest.raises(UserError, match=rf"{weights.FILE} is damaged"):
            weights.read(made)
    np.savez(made, a=np.zeros(3))
    with pytest.raises(UserError, match="is not a weights file"):
        weights.read(made)
    with pytest.raises(UserError, match="does not exist"):
        weights.read(f"{made}2.npz")


def test_another_network_is_refused(made):
    network = networks.build(dataclasses.replace(CONFIG, width=8))
    with pytest.raises(UserError, match=r"--init .* holds another network"):
        weights.put(network, weights.read(made).arrays, made)
