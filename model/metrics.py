"""Metrics of colorized images, in NumPy: PSNR and that of the pooled error, SSIM, CIEDE2000, colourfulness, AuC.

All of them compare what one would see: 8-bit sRGB images of the same luminance. `Scores` streams images through, so
that memory does not grow with their number.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from model import bins
from tfrecords import color
from tfrecords.color import colourfulness as colourfulness

PSNR_CAP = 100.0
GREY_BELOW, STAINED_ABOVE = 6.0, 18.0
"""Chroma of a pixel that is truly grey, and chroma with which it is stained, in Lab units."""
VIVID_ABOVE, PALED_BELOW = 25.0, 0.4
"""Chroma of a pixel that is truly vivid, and the part of it below which it is paled."""
MOST_AB_ERROR = 150


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


def ab_l2(truth: NDArray[np.float32], ab: NDArray[np.float32]) -> float:
    """Return the mean L2 error of pixels' ab [..., 2], in Lab units."""
    return float(np.linalg.norm(truth.astype(np.float64) - ab, axis=-1).mean())


def ab_errors(truth: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many pixels' ab [..., 2] are off by how much: counts of the L2 error by its next whole number, [152].

    Element k counts errors in (k - 1, k]; the last one those above 150.
    """
    return np.bincount(_steps(truth, ab).ravel(), minlength=MOST_AB_ERROR + 2)


def class_errors(truth: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the counts of `ab_errors` for each class of `model.bins` that the truth belongs to, ``[Q, 152]``."""
    classes, steps = len(bins.centres()), MOST_AB_ERROR + 2
    found = bins.nearest(truth) * steps + _steps(truth, ab)
    return np.bincount(found.ravel(), minlength=classes * steps).reshape(classes, steps)


def _steps(truth: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the L2 error of each pixel's ab as its next whole number, at most 151."""
    error: NDArray[np.float64] = np.linalg.norm(truth.astype(np.float64) - ab, axis=-1)
    return np.minimum(np.ceil(error), MOST_AB_ERROR + 1).astype(np.intp)


def balanced_area(errors: NDArray[np.int64]) -> float:
    """Return `area_under_curve` with each pixel weighed by the rarity of its true colour, in percent.

    Zhang et al. 2016, section 3.1 (AuC with rebalancing): a pixel weighs 1 / p, p being the share of its class
    (equation 4 with λ = 0). So every class that occurs counts alike. Here p is the share in the pictures that are
    scored, unsmoothed; the paper takes the smoothed share in its training set.

    Args:
        errors: sums of `class_errors`.
    """
    counts = errors.sum(axis=1, keepdims=True)
    return area_under_curve(np.sum(errors / np.maximum(counts, 1), axis=0))


def area_under_curve(errors: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """Return the area in percent under the part of pixels within an ab error of 0, 1, … 150.

    Zhang et al. 2016, section 3.1 (AuC without rebalancing). `errors` are the sums of `ab_errors`.
    """
    within = np.cumsum(errors)[: MOST_AB_ERROR + 1] / errors.sum()
    return 100 * float(np.trapezoid(within)) / MOST_AB_ERROR


def chroma_faults(truth: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return counts of pixels, ``[4]``: truly grey, of these stained; truly vivid, of these paled.

    Args:
        truth: ab ``[..., 2]``, in Lab units.
        ab: that were painted, of the same shape.
    """
    true, painted = np.linalg.norm(truth, axis=-1), np.linalg.norm(ab, axis=-1)
    grey, vivid = true < GREY_BELOW, true > VIVID_ABOVE
    stained, paled = grey & (painted > STAINED_ABOVE), vivid & (painted < PALED_BELOW * true)
    return np.array([np.count_nonzero(pixels) for pixels in (grey, stained, vivid, paled)], np.int64)


def similarity(truth: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
    """Return the structural similarity (Wang et al. 2004) of sRGB images uint8 [H, W, 3], the mean over channels.

    Gaussian windows of deviation 1.5 and population statistics, as published.
    """
    return float(
        structural_similarity(
            truth, image, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


@dataclasses.dataclass(kw_only=True)
class Scores:
    """Scores of one colorizer over the images added so far.

    Attributes:
        images: how many were added.
    """

    images: int = 0
    _psnr: float = 0.0
    _squared_error: float = 0.0
    _ssim: float = 0.0
    _ciede2000: float = 0.0
    _colourfulness: float = 0.0
    _true_colourfulness: float = 0.0
    _ab_l2: float = 0.0
    _ab_errors: NDArray[np.int64] = dataclasses.field(
        default_factory=lambda: np.zeros((len(bins.centres()), MOST_AB_ERROR + 2), np.int64)
    )
    _faults: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(4, np.int64))

    def add(self, truth: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
        """Add one pair of sRGB images uint8 [H, W, 3] of the same shape.

        Raises:
            ValueError: the shapes differ.
        """
        if truth.shape != image.shape:
            raise ValueError(f"images of shape {truth.shape} and {image.shape} cannot be compared")
        error = squared_error(truth, image)
        true_lab, lab = color.srgb_to_lab(truth), color.srgb_to_lab(image)
        self.images += 1
        self._psnr += psnr(error)
        self._squared_error += error
        self._ssim += similarity(truth, image)
        self._ciede2000 += ciede2000(true_lab, lab)
        self._colourfulness += colourfulness(image)
        self._true_colourfulness += colourfulness(truth)
        self._ab_l2 += ab_l2(true_lab[..., 1:], lab[..., 1:])
        self._ab_errors += class_errors(true_lab[..., 1:], lab[..., 1:])
        self._faults += chroma_faults(true_lab[..., 1:], lab[..., 1:])

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name, and `images`.

        `mean_psnr` averages the decibels of the images. `pooled_psnr` is that of their mean squared error: it does not
        reward doing nothing on images that are nearly grey. `ssim`, `mean_ciede2000`, `ab_l2` and `colourfulness` are
        means; `colourfulness_difference` is the mean's difference to the truth's, negative for pale images, and
        `colourfulness_share` the mean in percent of the truth's. `auc` is in
        percent, over the pixels of all images; `auc_balanced` gives each class of colour the same weight. `stain` is
        the percentage of truly grey pixels painted with colour, and `paled` that of truly vivid pixels which lost most
        of theirs (see `chroma_faults`); 0 where there are none.

        Raises:
            ValueError: no image was added.
        """
        if not self.images:
            raise ValueError("no image was added")
        return {
            "images": self.images,
            "mean_psnr": self._psnr / self.images,
            "pooled_psnr": psnr(self._squared_error / self.images),
            "ssim": self._ssim / self.images,
            "mean_ciede2000": self._ciede2000 / self.images,
            "colourfulness": self._colourfulness / self.images,
            "colourfulness_difference": (self._colourfulness - self._true_colourfulness) / self.images,
            "ab_l2": self._ab_l2 / self.images,
            "colourfulness_share": 100 * self._colourfulness / max(self._true_colourfulness, 1e-9),
            "auc": area_under_curve(self._ab_errors.sum(axis=0)),
            "auc_balanced": balanced_area(self._ab_errors),
            "stain": 100 * float(self._faults[1] / max(self._faults[0], 1)),
            "paled": 100 * float(self._faults[3] / max(self._faults[2], 1)),
        }
