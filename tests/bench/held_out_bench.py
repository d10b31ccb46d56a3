"""Scores of a model on held-out pictures of which training holds no copy, beside those on all of them.

    python tests/bench/held_out_bench.py --data=RECORDS --model=released

Public collections share photos, at other sizes and qualities, which a hold-out by name and a comparison of bytes do
not find. A held-out picture counts as known where the luminance of some training picture, or of its mirror image, at
24 x 24 pixels correlates with its own by more than 0.95. Grey pictures are left out, as `autochrome evaluate` does.
"""

import argparse
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from model import saved_model
from model.colorizer import CHROMA_SCALE, Colorizer
from model.metrics import Scores
from model.scoreboard import GREY_CHROMA
from tfrecords import dataset
from tfrecords.color import lab_to_srgb

SIDE = 24
THRESHOLDS = (2.0, 0.95)
"""Correlations up to which pictures are scored; 2 is all of them."""
BATCH = 32
Floats = NDArray[np.float32]


def batches(data: str, split: str) -> Iterator[tuple[Floats, Floats]]:
    """Luminance [N, S, S, 1] in [0, 1] and chroma [N, S, S, 2] in (-1, 1) of a split."""
    yield from dataset.load(data, split).batch(BATCH).as_numpy_iterator()


def outline(luminance: Floats) -> Floats:
    """Small luminance without its mean, of length 1: [SIDE, SIDE]."""
    small = cv2.resize(luminance, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = small - small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)


def main() -> None:
    """Find the copies and print the scores."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True)
    flags.add_argument("--model", default=saved_model.RELEASED)
    args = flags.parse_args()
    learnt = np.stack([outline(one) for luminance, _ in batches(args.data, "train") for one in luminance])
    columns = np.concatenate([learnt, learnt[:, :, ::-1]]).reshape(-1, SIDE**2).T
    colorizer = Colorizer.load(args.model)
    boards = {threshold: (Scores(), Scores()) for threshold in THRESHOLDS}
    for luminance, chroma in batches(args.data, "validation"):
        found = colorizer.predict(luminance)
        nearest = (np.stack([outline(one) for one in luminance]).reshape(-1, SIDE**2) @ columns).max(axis=1)
        for light, ab, guess, near in zip(luminance * 100, chroma * CHROMA_SCALE, found, nearest, strict=True):
            if np.linalg.norm(ab, axis=-1).mean() <= GREY_CHROMA:
                continue
            truth, made, grey = (
                lab_to_srgb(np.concatenate([light, colour], axis=-1)) for colour in (ab, guess, np.zeros_like(ab))
            )
            for threshold, (model, nothing) in boards.items():
                if near <= threshold:
                    model.add(truth, made)
                    nothing.add(truth, grey)
    for threshold, board in boards.items():
        print(f"nearest training picture below {threshold}" if threshold <= 1 else "all held-out pictures")
        for name, scores in zip((args.model, "grey"), board, strict=True):
            print(f"  {name:10}", "  ".join(f"{key} {value:.3f}" for key, value in scores.to_dict().items()))


if __name__ == "__main__":
    main()
