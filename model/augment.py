"""Training examples from stored pictures: cut, mirrored, and some of them made historic, on the device that trains.

What is done to an example follows from the configuration's seed and the example's place in the stream alone
(`model.draws`). Only bytes and places travel to the device. This module is written in keras.ops: the trainers on
TensorFlow and JAX make the same examples.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from model import draws, film, hints, mounts
from model.config import Config

PLACED = 4
"""Uniform numbers that cut and mirror one example."""
PLACING, GRAIN, PAPER, BLOTCHES, EXPOSING, MOUNTING, HINTING = range(1, 8)
"""What random numbers are used for."""


def examples(config: Config, pictures: Any, places: Any) -> tuple[Any, ...]:
    """Return the examples of a batch.

    Args:
        config: gives the resolution R, the seed, crops, flips, film, mounts and hints.
        pictures: luminance, a and b as bytes (L* 2.55, a + 128, b + 128), uint8 ``[N, S, S, 3]``; S is R where the
            configuration cuts nothing.
        places: of the examples in the stream, uint32 ``[N, 2]`` (`draws.halves`).

    Returns:
        Luminance float32 ``[N, R, R, 1]`` in [0, 1], chroma float32 ``[N, R, R, 2]`` in [-1, 1), and for a
        configuration with hints these, float32 ``[N, R, R, 3]``.
    """
    side = config.resolution

    def uniform(use: int, count: int) -> Any:
        return draws.uniform(config.seed, places, use, count)

    def noise(use: int, side: int) -> Any:
        return ops.reshape(draws.normal(config.seed, places, use, side * side), (-1, side, side, 1))

    made = cut(floats(pictures), uniform(PLACING, PLACED), side, config.crop, flip=config.flip)
    luminance, chroma = made[..., :1], made[..., 1:]
    if config.film:
        drawn = uniform(EXPOSING, film.DRAWS)
        luminance = film.expose(luminance, chroma, drawn, noise(GRAIN, side), config.film)
    if config.mounts:
        drawn, blotches = uniform(MOUNTING, mounts.DRAWS), noise(BLOTCHES, mounts.BLOTCHES)
        luminance, chroma = mounts.mount(luminance, chroma, drawn, noise(PAPER, side), blotches, config.mounts)
    if config.hints:
        return luminance, chroma, hints.draw(chroma, uniform(HINTING, hints.DRAWS), config.hints)
    return luminance, chroma


def cut(pictures: Any, drawn: Any, side: int, crop: float, *, flip: bool) -> Any:
    """Return a random square of each picture, brought to `side`, half of them mirrored.

    Bilinear; where a square is reduced, the triangle of the filter is as wide as the pixels of the result.

    Args:
        pictures: float32 ``[N, S, S, C]``, of any range.
        drawn: uniform numbers, float32 ``[N, PLACED]`` in [0, 1).
        side: of the result.
        crop: the smallest side of a square, as a part of S; 1 takes the whole picture.
        flip: whether to mirror any.

    Returns:
        float32 ``[N, side, side, C]``.
    """
    stored = pictures.shape[1]
    is_mirrored = (drawn[:, 3] < 0.5)[:, None, None] if flip else None
    if crop == 1 and stored == side:
        return pictures if is_mirrored is None else ops.where(is_mirrored[..., None], ops.flip(pictures, 2), pictures)
    length = stored * (crop + (1.0 - crop) * drawn[:, 0])
    rows = _weights(drawn[:, 1] * (stored - length), length, stored, side)
    columns = _weights(drawn[:, 2] * (stored - length), length, stored, side)
    if is_mirrored is not None:
        columns = ops.where(is_mirrored, ops.flip(columns, 1), columns)
    return ops.einsum("nxt,nytc->nyxc", columns, ops.einsum("nys,nstc->nytc", rows, pictures))


def floats(pictures: Any) -> Any:
    """Return L* / 100 in [0, 1] and ab / 128 in [-1, 1) of pictures ``[..., 3]`` of bytes, float32 ``[..., 3]``."""
    return ops.cast(pictures, "float32") / ops.array((255.0, 128.0, 128.0)) - ops.array((0.0, 1.0, 1.0))


def _weights(start: Any, length: Any, stored: int, side: int) -> Any:
    """Return what each stored pixel counts for each pixel of the result, along one axis, ``[N, side, stored]``."""
    into = ops.cast(ops.arange(side), "float32") + 0.5
    out_of = ops.cast(ops.arange(stored), "float32") + 0.5
    centres = start[:, None] + into[None] * (length[:, None] / side)
    width = ops.maximum(1.0, length / side)[:, None, None]
    weights = ops.maximum(0.0, 1.0 - ops.abs(out_of[None, None] - centres[..., None]) / width)
    return weights / ops.sum(weights, axis=-1, keepdims=True)
