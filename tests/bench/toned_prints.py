"""Grey photos as the toned prints of archives: sepia, cyanotype, duotone, faded and more."""

import colorsys

import numpy as np

from tfrecords.color import lab_to_srgb, luminance


def tone(gray: np.ndarray, kind: str, strength: float, rng: np.random.Generator) -> np.ndarray:
    """A grey photo (uint8 [H, W]) as a toned print of the kind, uint8 [H, W, 3]."""
    value = gray[..., None] / 255
    if kind == "duotone":  # from a dark to a light ink over a strong one of the same hue
        hue = rng.random()
        inks = [(rng.uniform(0, 0.12), 0.5), (rng.uniform(0.35, 0.6), 0.8 * strength), (rng.uniform(0.85, 1), 0.6)]
        dark, middle, light = (colorsys.hls_to_rgb(hue, lightness, saturation) for lightness, saturation in inks)
        planes = [np.interp(gray / 255, [0, 0.5, 1], ink) for ink in zip(dark, middle, light, strict=True)]
        return to_bytes(np.dstack(planes))
    if kind == "overlay":
        return to_bytes((1 - strength / 2) * value + strength / 2 * rng.random(3))
    if kind == "multiplied":
        return to_bytes(value * (1 - strength * rng.uniform(0, 0.45, 3)))
    if kind == "faded":  # each channel by a gamma and a range of its own
        low, high = strength * rng.uniform(0, 0.2, 3), 1 - strength * rng.uniform(0, 0.25, 3)
        return to_bytes(low + (high - low) * value ** (rng.uniform(0.7, 1.4, 3) ** strength))
    if kind == "sepia":  # the matrix of every photo editor, on grey
        tinted = np.minimum(value * [1.351, 1.203, 0.937], 1)
        return to_bytes((1 - strength) * value + strength * tinted)
    if kind == "yellowed paper":
        return to_bytes(value * (1 - strength * np.array([0.02, 0.10, 0.32])))
    if kind == "faded red":
        low, high = strength * np.array([0.25, 0.06, 0.05]), 1 - strength * np.array([0.0, 0.18, 0.22])
        return to_bytes(low + value ** np.array([0.8, 1.0, 1.1]) * (high - low))
    lightness = luminance(gray)
    t = lightness / 100
    arch = 4 * t * (1 - t)
    if kind == "split tone":
        shadow = 1 / (1 + np.exp(10 * (t - 0.5)))
        a = 22 * (shadow * np.cos(4.4) + (1 - shadow) * np.cos(1.3))
        b = 22 * (shadow * np.sin(4.4) + (1 - shadow) * np.sin(1.3))
    else:
        chroma, degrees = {
            "cyanotype": (45 * arch, 265),
            "selenium": (18 * (1 - t), 345),
            "gold": (28 * np.sin(np.pi * t), 80),
            "any hue": (35 * arch, rng.uniform(0, 360)),
        }[kind]
        a, b = chroma * np.cos(np.deg2rad(degrees)), chroma * np.sin(np.deg2rad(degrees))
    return lab_to_srgb(np.dstack([lightness, strength * a, strength * b]).astype(np.float32))


def to_bytes(rgb: np.ndarray) -> np.ndarray:
    return (255 * np.clip(rgb, 0, 1) + 0.5).astype(np.uint8)


KINDS = (
    *("sepia", "cyanotype", "selenium", "gold", "split tone", "faded red", "yellowed paper", "any hue"),
    *("duotone", "overlay", "multiplied", "faded"),
)
