"""EfficientNet-Lite in Keras 3, as an encoder: luminance in, the features of its five levels out.

The layers are those of Tan and Le, *EfficientNet* (2019), table 1, in the "lite" form for small devices (no squeeze and
excitation, ReLU6). Without the classifier, Lite0 has 2.9 million weights and takes 0.26 GFLOP at 128 px; Lite2 has 4.3
million and takes 0.42. Where the original normalises by batch, convolutions here have a bias: `model.pretrained` folds
the published weights into them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras


class Variant(NamedTuple):
    """A size of the network: its filters and blocks as multiples of those of Lite0."""

    name: str
    width: float
    depth: float


LITE0 = Variant("lite0", 1.0, 1.0)
LITE2 = Variant("lite2", 1.1, 1.2)
VARIANTS = (LITE0, LITE2)


class Stage(NamedTuple):
    """A row of the table: the number of blocks, the stride of the first; each is widened and narrowed to `filters`."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STEM = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def stages(variant: Variant) -> tuple[Stage, ...]:
    """Return the rows of the table for a variant: filters in steps of 8; the first and last stage keep their blocks."""
    last = len(STAGES) - 1
    return tuple(
        stage._replace(
            blocks=stage.blocks if number in (0, last) else math.ceil(variant.depth * stage.blocks),
            filters=_rounded(variant.width * stage.filters),
        )
        for number, stage in enumerate(STAGES)
    )


def _rounded(filters: float) -> int:
    """Return the multiple of 8 that is nearest and at least nine tenths (Tan and Le's published code)."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def features(luminance: Any, seeds: Iterator[int], variant: Variant = LITE0, added: Any = None) -> list[Any]:
    """Return the features of luminance ``[N, R, R, 1]`` at R / 2, R / 4, R / 8, R / 16 and R / 32.

    They are float32, of any range, and have 16, 24, 40, 112 and 320 channels for Lite0; 16, 24, 48, 120 and 352 for
    Lite2.

    Args:
        luminance: L* / 100, float32 in [0, 1]; R divisible by 32.
        seeds: of the initial weights, one a layer.
        variant: the size of the network.
        added: what is added to the output of the first convolution, ``[N, R / 2, R / 2, 32]``; None adds nothing.
    """
    hidden = _convolution(luminance, STEM, 3, 2, next(seeds), "stem")
    hidden = _activated(hidden if added is None else hidden + added)
    levels: list[Any] = []
    number = 0
    for stage in stages(variant):
        for block in range(stage.blocks):
            stride = stage.stride if block == 0 else 1
            if stride == 2:
                levels.append(hidden)
            hidden = _block(hidden, stage, stride, seeds, f"block_{number}")
            number += 1
    return [*levels, hidden]


def _block(inputs: Any, stage: Stage, stride: int, seeds: Iterator[int], name: str) -> Any:
    """Return an inverted residual block: widen, filter each channel, narrow; add the input if the shapes are equal."""
    hidden = inputs
    if stage.expansion > 1:
        wide = stage.expansion * inputs.shape[-1]
        hidden = _activated(_convolution(hidden, wide, 1, 1, next(seeds), f"{name}_expand"))
    depthwise = keras.layers.DepthwiseConv2D(
        stage.kernel,
        stride,
        padding="same",
        # He's: Keras' own counts all channels as inputs of each.
        depthwise_initializer=keras.initializers.RandomNormal(stddev=2**0.5 / stage.kernel, seed=next(seeds)),
        name=f"{name}_depthwise",
    )
    hidden = _convolution(_activated(depthwise(hidden)), stage.filters, 1, 1, next(seeds), f"{name}_project")
    return hidden + inputs if hidden.shape == inputs.shape else hidden


def _convolution(inputs: Any, filters: int, kernel: int, stride: int, seed: int, name: str) -> Any:
    initializer = keras.initializers.HeNormal(seed=seed)
    layer = keras.layers.Conv2D(filters, kernel, stride, padding="same", kernel_initializer=initializer, name=name)
    return layer(inputs)


def _activated(inputs: Any) -> Any:
    return keras.ops.relu6(inputs)
