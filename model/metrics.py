"""Metrics of colorized images, in NumPy: PSNR, PSNR of the pooled error, and CIEDE2000.

All of them compare what one would see: 8-bit sRGB images of the same luminance. `Scores` streams images through, so
that memory does not grow with their number.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from tfrecords import color

PSNR_CAP = 100.0


def squared_error(truth: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
    """Return the mean squared error of two sRGB images uint8 [H, W, 3] over pixels and channels, in [0, 65025]."""
    return float(np.mean(np.square(truth.astype(np.float64) - image)))


def psnr(mean_squared_error: float) -> float:
    """Return the peak signal-to-noise ratio in dB of a mean squared error of 8-bit values: 10 log10(255² / error).

    Capped at `PSNR_CAP`, so that one identical pair does not make the mean of many images infinite.
    """
    if mean_squared_error <= 0:
        return PSNR_CAP
    return min(PSNR_CAP, 10 * float(np.log10(255.0**2 / mean_squared_error)))


def ciede2000(truth: NDArray[np.float32], lab: NDArray[np.float32]) -> float:
    """Return the mean CIEDE2000 colour difference (CIE 142:2001, kL = kC = kH = 1) of Lab images float32 [..., 3]."""
    return float(np.mean(deltaE_ciede2000(truth.astype(np.float64), lab.astype(np.float64))))


@dataclasses.dataclass
class Scores:
    """Scores of one colorizer over the images added so far.

    Attributes:
        images: how many were added.
    """

    images: int = 0
    _psnr: float = 0.0
    _squared_error: float = 0.0
    _ciede2000: float = 0.0

    def add(self, truth: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
        """Add one pair of sRGB images uint8 [H, W, 3] of the same shape.

        Raises:
            ValueError: the shapes differ.
        """
        if truth.shape != image.shape:
            raise ValueError(f"images of shape {truth.shape} and {image.shape} cannot be compared")
        error = squared_error(truth, image)
        self.images += 1
        self._psnr += psnr(error)
        self._squared_error += error
        self._ciede2000 += ciede2000(color.srgb_to_lab(truth), color.srgb_to_lab(image))

    def to_dict(self) -> dict[str, float]:
        """Return the figures: `mean_psnr` and `pooled_psnr` in dB, `mean_ciede2000`, and `images`.

        The mean PSNR averages the decibels of the images. The pooled PSNR is that of their mean squared error: it does
        not reward doing nothing on images that are nearly grey.

        Raises:
            ValueError: no image was added.
        """
        if not self.images:
            raise ValueError("no image was added")
        return {
            "images": self.images,
            "mean_psnr": self._psnr / self.images,
            "pooled_psnr": psnr(self._squared_error / self.images),
            "mean_ciede2000": self._ciede2000 / self.images,
        }
