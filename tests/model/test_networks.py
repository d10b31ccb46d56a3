import dataclasses
import itertools

import keras
import numpy as np
import pytest

from model import networks
from model.config import autoencoder, autoencoder_mini
from tfrecords.errors import UserError


def kinds(network: keras.Model) -> list[tuple]:
    found = []
    for layer in network.layers[1:]:
        if isinstance(layer, keras.layers.Conv2D):
            found.append((layer.filters, layer.strides[0], layer.activation.__name__))
        else:
            found.append((type(layer).__name__, layer.size[0]))
    return found


def test_the_paper_s_layers():
    network = networks.build(autoencoder())
    up = ("UpSampling2D", 2)
    assert kinds(network) == [
        (32, 1, "relu"),
        (32, 2, "relu"),
        (64, 1, "relu"),
        (64, 2, "relu"),
        (128, 1, "relu"),
        (128, 2, "relu"),
        (256, 1, "relu"),
        (128, 1, "relu"),
        (64, 1, "relu"),
        up,
        (32, 1, "relu"),
        up,
        (16, 1, "relu"),
        (2, 1, "tanh"),
        up,
    ]
    assert network.input_shape == (None, 256, 256, 1)
    assert network.output_shape == (None, 256, 256, 2)
    # By hand: 9 in out + out, over the layers above.
    channels = [1, 32, 32, 64, 64, 128, 128, 256, 128, 64, 32, 16, 2]
    expected = sum(9 * into * out + out for into, out in itertools.pairwise(channels))
    assert network.count_params() == expected == 973_810


def test_chroma_stays_within_tanh_s_range_on_extreme_luminance():
    config = autoencoder_mini()
    network = networks.build(config)
    random = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    for luminance in (np.zeros((2, 32, 32, 1)), np.ones((2, 32, 32, 1)), random, random * 1e4):
        chroma = keras.ops.convert_to_numpy(network(luminance.astype(np.float32)))
        assert chroma.shape == (2, 32, 32, 2)
        assert chroma.dtype == np.float32
        assert np.abs(chroma).max() <= 1


def test_every_seed_starts_at_grey():
    luminance = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    for seed in range(5):
        chroma = networks.build(dataclasses.replace(autoencoder_mini(), width=32, seed=seed))(luminance)
        assert 0 < np.abs(np.asarray(chroma)).max() < 0.1


def test_the_seed_decides_the_weights():
    config = autoencoder_mini()
    first, again = networks.build(config).get_weights(), networks.build(config).get_weights()
    other = networks.build(dataclasses.replace(config, seed=1)).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim == 4]
    assert all(not np.array_equal(a, b) for a, b in kernels)
    assert len({round(float(kernel.std() * kernel[..., 0].size ** 0.5), 6) for kernel, _ in kernels}) == len(kernels)


def test_an_unknown_network_is_refused():
    with pytest.raises(UserError, match=r"'unet'.*autoencoder"):
        networks.build(dataclasses.replace(autoencoder_mini(), network="unet"))
