import itertools

import keras
import numpy as np

from model import layers


def test_attention_is_the_published_formula():
    """One block against NumPy: x + W_o softmax(q k' / sqrt d) v, and x + W_2 gelu(W_1 x), both on normalised x."""
    inputs = keras.Input((2, 3, 8))
    block = keras.Model(inputs, layers.attention(inputs, 2, itertools.count()))
    random = np.random.default_rng(1)
    # What starts with zeros would hide what it does.
    block.set_weights(
        [weight if weight.any() else random.normal(0, 0.05, weight.shape) for weight in block.get_weights()]
    )
    depthwise, depthwise_bias, *rest = block.get_weights()
    rest = [weight.astype(np.float64) for weight in rest]
    scale, offset, mix, mix_bias, out, out_bias, scale_2, offset_2, wide, wide_bias, narrow, narrow_bias = rest
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 8))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = (
        x
        + depthwise_bias
        + sum(padded[:, i : i + 2, j : j + 3] * depthwise[i, j, :, 0] for i in range(3) for j in range(3))
    )
    x = x.reshape(6, 8)

    def normal(x, scale, offset):
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * scale + offset

    query, key, value = np.split(normal(x, scale, offset) @ mix + mix_bias, 3, axis=1)
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        scores = np.exp(query[:, head] @ key[:, head].T / 2)
        heads.append(scores / scores.sum(1, keepdims=True) @ value[:, head])
    x = x + np.concatenate(heads, 1) @ out + out_bias
    hidden = normal(x, scale_2, offset_2) @ wide + wide_bias
    hidden = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    x = x + hidden @ narrow + narrow_bias
    given = np.random.default_rng(0).normal(size=(1, 2, 3, 8))
    np.testing.assert_allclose(block(given)[0].numpy().reshape(6, 8), x, atol=2e-3)
