"""Predictions by LiteRT beside TensorFlow: start, time of a prediction, memory, and how far their colours are apart.

    python tests/bench/predict_bench.py [--model=SAVED_MODEL] [--photos=FOLDER] [--runs=30]

Each engine runs in a process of its own, on one thread, and predicts one picture at a time; LiteRT needs a model with
`assets/model.tflite`. Printed are processor time until the model is ready, of the first prediction and of the median of
the others, in milliseconds, and peak memory in MB; then the largest and the mean difference of a and b on the photos
(default: some of scikit-image's).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

PICTURES = ("astronaut", "camera", "cat", "coffee", "rocket")


def seen_of(folder: str, size: int) -> np.ndarray:
    """What the model sees of the photos, float32 [N, S, S, 1]."""
    import cv2
    from skimage import data

    from model.upsampling import model_luminance

    files = sorted(path for path in Path(folder).rglob("*") if path.is_file()) if folder else []
    read = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in files] or [getattr(data, one)() for one in PICTURES]
    return np.stack([model_luminance(pixels, size) for pixels in read if pixels is not None])


def child(model: str, engine: str, photos: str, runs: int, out: str) -> None:
    """Measure one engine, print the figures and save the predictions."""
    started = time.process_time()
    from model.colorizer import Colorizer

    colorizer = Colorizer.load(model, batches=engine == "tensorflow", one_thread=True)
    ready = time.process_time() - started
    one = np.random.default_rng(0).random((1, colorizer.size, colorizer.size, 1), np.float32)
    taken = []
    for _ in range(runs):
        before = time.process_time()
        colorizer.predict(one)
        taken.append(1e3 * (time.process_time() - before))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    kind = type(colorizer._engine).__module__
    print(f"{kind:<20}{1e3 * ready:>9.0f}{taken[0]:>9.1f}{median(taken[1:]):>9.1f}{memory:>9.0f}", flush=True)
    np.save(out, np.concatenate([colorizer.predict(one[None]) for one in seen_of(photos, colorizer.size)]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="released")
    parser.add_argument("--photos", default="")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.model, args.child[0], args.photos, args.runs, args.child[1])
        return
    print(f"{'engine':<20}{'ready':>9}{'first':>9}{'median':>9}{'memory':>9}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for engine in ("tensorflow", "litert"):
            place = f"{folder}/{engine}.npy"
            subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--child", engine, place],
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
                check=True,
            )
            found[engine] = np.load(place)
    apart = np.abs(found["tensorflow"] - found["litert"])
    print(f"a and b: {apart.max():.4f} apart at most, {apart.mean():.5f} on average, {len(apart)} photos")


if __name__ == "__main__":
    main()
