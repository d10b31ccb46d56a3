"""Recognition: what a published classifier makes of pictures, as a judgement of colours that no pixel error gives.

* Top-1: the share of pictures with a known ImageNet class that it names right (semantic interpretability, Zhang et al.,
  "Colorful Image Colorization", 2016, section 3.2). Good colours help it, strange ones mislead it.
* FD-Lite: the Fréchet distance between its features of the pictures and of the true ones. It is like the well-known
  FID, but in other features: the two cannot be compared. With few pictures it says more about their number than about
  their colours, so that it is only given from `LEAST` on, and always with the number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model import frechet
from model.classifier import FEATURES, Classifier
from model.synsets import CLASSES
from tfrecords.color import Bytes

LEAST = 1000
"""Pictures from which FD-Lite is given, about three times the numbers of a feature."""
TRUTH = "truth"


class Recognition:
    """Top-1 and FD-Lite of several versions of the same pictures.

    Attributes:
        labelled: pictures with a class.
        images: pictures of which the features were taken.
    """

    def __init__(self, load: Callable[[], Classifier], expected: int) -> None:
        """Begin.

        Args:
            load: returns the classifier that judges; called when the first picture needs it.
            expected: how many pictures there may be; with fewer than `LEAST`, no features are taken.
        """
        self.labelled = self.images = 0
        self._load = functools.cache(load)
        self._has_features = expected >= LEAST
        self._right: dict[str, int] = {}
        self._normals: dict[str, frechet.Normal] = {}

    def add(self, versions: Mapping[str, Sequence[Bytes]], synsets: Sequence[str]) -> None:
        """Take in some pictures.

        Args:
            versions: each the same pictures, sRGB uint8 ``[S, S, 3]``, by name; one is `TRUTH`.
            synsets: their WordNet ids; '' or another id than of `model.synsets` for an unknown class.
        """
        chosen = [index for index, synset in enumerate(synsets) if self._has_features or synset in CLASSES]
        if not chosen:
            return
        classes = np.array([CLASSES.get(synsets[index], -1) for index in chosen])
        self.labelled += int((classes >= 0).sum())
        self.images += len(chosen) if self._has_features else 0
        for name, pictures in versions.items():
            features, found = self._load().classify(np.stack([pictures[index] for index in chosen]))
            self._right[name] = self._right.get(name, 0) + int((found == classes).sum())
            if self._has_features:
                self._normals.setdefault(name, frechet.Normal(FEATURES)).add(features)

    def scores(self, name: str) -> dict[str, float]:
        """Return the figures of a version: `top1` in percent, `fd_lite`; only those that can be given."""
        found = {}
        if self.labelled:
            found["top1"] = 100 * self._right[name] / self.labelled
        if self.images >= LEAST:
            found["fd_lite"] = frechet.distance(self._normals[name], self._normals[TRUTH])
        return found
