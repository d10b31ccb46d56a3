import ast
import dataclasses
import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import small_networks
import tensorflow as tf
from skimage.transform import resize

from model import bins, losses, networks, optimizers
from model.config import autoencoder, mini, released, released_1, unet, unet_small
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
    config = mini(autoencoder())
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
        chroma = networks.build(dataclasses.replace(mini(autoencoder()), width=32, seed=seed))(luminance)
        assert 0 < np.abs(np.asarray(chroma)).max() < 0.1


def test_the_seed_decides_the_weights():
    config = mini(autoencoder())
    first, again = networks.build(config).get_weights(), networks.build(config).get_weights()
    other = networks.build(dataclasses.replace(config, seed=1)).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim == 4]
    assert all(not np.array_equal(a, b) for a, b in kernels)
    assert len({round(float(kernel.std() * kernel[..., 0].size ** 0.5), 6) for kernel, _ in kernels}) == len(kernels)


def test_an_unknown_network_is_refused():
    with pytest.raises(UserError, match=r"'vgg'.*autoencoder, efficientnet_attention, efficientnet_unet, unet"):
        networks.build(dataclasses.replace(mini(autoencoder()), network="vgg"))


@pytest.mark.parametrize("config", [mini(autoencoder()), mini(unet())], ids=lambda config: config.network)
def test_published_weights_need_an_encoder_that_takes_them(config):
    with pytest.raises(UserError, match=f"pretrained=true needs a network on EfficientNet, not {config.network}"):
        networks.build(dataclasses.replace(config, pretrained=True))


def test_the_u_net_gives_classes_or_ab_at_a_quarter_of_the_resolution():
    config = dataclasses.replace(mini(unet()), size=64)
    luminance = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    for loss, channels in (("cross_entropy", len(bins.centres())), ("huber", 2)):
        one = dataclasses.replace(config, loss=loss)
        output = networks.build(one)(luminance)
        assert output.shape == (2, 8, 8, channels)
        chroma = np.asarray(networks.decode(one, output))
        assert chroma.shape == (2, 64, 64, 2)
        assert np.abs(chroma).max() < 0.2


@pytest.mark.parametrize(
    ("config", "side"),
    [(autoencoder(), 128), (released(), 48), (released_1(), 32), (unet(), 32), (unet_small(), 16)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_grid_is_where_the_last_convolution_computes_chroma(config, side):
    assert networks.grid(config) == side
    seen = config.export_resolution or config.resolution
    assert networks.grid(dataclasses.replace(config, export_resolution=32)) == 32 * side // seen


def test_the_u_net_sees_the_whole_picture():
    """Its output at one corner depends on the luminance of the other."""
    network = networks.build(dataclasses.replace(mini(unet()), loss="huber"))
    luminance = tf.Variable(np.random.default_rng(0).random((1, 32, 32, 1), np.float32))
    with tf.GradientTape() as tape:
        corner = tf.reduce_sum(network(luminance)[0, 0, 0])
    assert np.abs(tape.gradient(corner, luminance)[0, -8:, -8:]).max() > 0


@pytest.mark.parametrize("config", [mini(unet()), mini(released_1()), mini(released())], ids=lambda one: one.network)
def test_a_skip_carries_detail_past_the_bottom(config, monkeypatch):
    """With the encoder cut below a quarter of the side, the output still depends on the luminance."""
    small_networks.shrink(monkeypatch.setattr)
    fields = {"loss": "huber", "temperature": 1.0, "prior_adjustment": 0.0}
    network = networks.build(dataclasses.replace(config, **fields))
    luminance = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    halving = [layer for layer in network.layers if getattr(layer, "strides", None) in (2, (2, 2))]
    halving = [layer for layer in halving if layer.weights and layer.input.shape[-1] != networks.HINTS]
    assert len(halving) == 5
    halving[2].set_weights([np.zeros_like(weight) for weight in halving[2].get_weights()])
    one, other = np.asarray(network(networks.arguments(network, luminance)))
    assert np.abs(one - other).max() > 1e-7


def floating_point_operations(config) -> float:
    """What TensorFlow's profiler counts for one image, a multiplication and an addition as two."""
    network = networks.build(config)
    spec = tf.TensorSpec([1, config.resolution, config.resolution, 1])
    graph = tf.function(lambda luminance: networks.decode(config, network(luminance))).get_concrete_function(spec).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    return tf.compat.v1.profiler.profile(graph, options=options.with_empty_output().build()).total_float_ops


@pytest.mark.parametrize(
    ("config", "least", "most"),
    [(autoencoder(), 3.7e9, 4e9), (unet(), 2.8e9, 3e9), (unet_small(), 0.1e9, 0.2e9)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_no_network_takes_more_than_4_gflop_an_image(config, least, most):
    assert least <= floating_point_operations(config) <= most


def test_classes_become_their_annealed_mean():
    centres = bins.centres()
    red, green = centres.tolist().index([60, 50]), centres.tolist().index([-50, 40])
    logits = np.full((1, 1, 1, len(centres)), -1e4, np.float32)
    logits[..., red], logits[..., green] = 1.0, 0.0
    config = dataclasses.replace(mini(unet()), resolution=32, size=32)
    for temperature in (1.0, 0.38, 0.01):
        share = 1 / (1 + np.exp(-1 / temperature))
        expected = (share * centres[red] + (1 - share) * centres[green]) / 128
        found = networks.decode(dataclasses.replace(config, temperature=temperature), logits)
        assert found.shape == (1, 32, 32, 2)
        np.testing.assert_allclose(found, np.broadcast_to(expected, (1, 32, 32, 2)), atol=1e-5)


def test_chroma_is_brought_up_bilinearly():
    config = dataclasses.replace(mini(unet()), loss="huber", size=32)
    small = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 2)).astype(np.float32)
    expected = resize(small[0], (32, 32), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(networks.decode(config, small)[0], expected, atol=1e-5)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(UserError, match="divisible by 32, not 24"):
        networks.build(dataclasses.replace(mini(unet()), resolution=24))
    with pytest.raises(UserError, match="cross_entropy needs network unet"):
        networks.build(dataclasses.replace(mini(autoencoder()), loss="cross_entropy"))


@pytest.mark.parametrize("module", [bins, losses, networks, optimizers])
def test_networks_losses_and_optimizers_leave_the_backend_to_keras(module):
    tree = ast.parse(Path(module.__file__).read_text())
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in imported if name.split(".")[0].startswith("tensorflow")]


def attention(**fields) -> keras.Model:
    config = dataclasses.replace(
        mini(released()),
        network="efficientnet_attention",
        resolution=64,
        size=64,
        width=8,
        temperature=1.0,
        prior_adjustment=0.0,
        **fields,
    )
    return networks.build(config)


def stirred(network: keras.Model) -> keras.Model:
    """Give a network random weights where it starts with zeros, which would hide what they do."""
    random = np.random.default_rng(1)
    network.set_weights(
        [weight if weight.any() else random.normal(0, 0.05, weight.shape) for weight in network.get_weights()]
    )
    return network


def test_hints_change_nothing_before_they_are_learnt():
    network = attention()
    luminance = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    hints = np.random.default_rng(1).random((1, 64, 64, 3), np.float32)
    np.testing.assert_array_equal(
        network(networks.arguments(network, luminance, hints)), network([luminance, 0 * hints])
    )
    np.testing.assert_array_equal(network(networks.arguments(network, luminance)), network([luminance, 0 * hints]))


def test_attention_and_hints_reach_the_far_corner():
    network = stirred(attention(loss="huber"))
    luminance = tf.constant(np.random.default_rng(0).random((1, 64, 64, 1), np.float32))
    hints = tf.zeros((1, 64, 64, 3))
    with tf.GradientTape() as tape:
        tape.watch([luminance, hints])
        corner = tf.reduce_sum(network([luminance, hints])[0, 0, 0])
    for gradient in tape.gradient(corner, [luminance, hints]):
        assert np.abs(gradient[0, -8:, -8:]).max() > 0
