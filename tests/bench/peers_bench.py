"""Colorizing beside what others take for the same photos: libvips' pass as the floor, a colorizer's network.

    python tests/bench/peers_bench.py [--photo=PHOTO] [--vips=PYTHON] [--megapixels 0.3 3 12] [--runs=5]

Milliseconds of processor time of one thread and, behind the stroke, by the clock; medians of runs by turns. Ratios are
those of processor time. On a machine that is busy with something else, the clock tells nothing.

* ours: decode, predict, merge and encode by the functions that `colorize` uses, with the released model.
* vips: libvips decodes the same JPEG, converts it to CIELAB, joins its L* with a constant a and b, converts that to
  sRGB and encodes a JPEG of quality 95. It predicts nothing, brings no chroma up along edges and moves no colour into
  the gamut; it is what well-made C code takes for the same pixels. ``--vips`` names an interpreter that has pyvips
  (``pip install pyvips pyvips-binary`` in an environment of its own); without it the row is left out.
* network: the forward pass of the network of Zhang, Isola and Efros (ECCV 2016, arXiv:1603.08511; the layers of their
  published definition) at 256 x 256 by TensorFlow on one thread. Its weights are random; the time is the same.

`prepare_bench.py --img2dataset=PYTHON` compares `prepare` with img2dataset.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Filters, layers, stride of the last layer (of the transposed one if negative) and dilation of each block.
BLOCKS = ((64, 2, 2, 1), (128, 2, 2, 1), (256, 3, 2, 1), (512, 3, 1, 1), (512, 3, 1, 2), (512, 3, 1, 2), (512, 3, 1, 1))
BINS = 313
VIPS = """
import json, sys, time
import pyvips
pyvips.cache_set_max(0)
def run(path):
    image = pyvips.Image.new_from_file(path, access="sequential")
    lab = image.colourspace("lab")[0].bandjoin([8, 16]).copy(interpretation="lab")
    return lab.colourspace("srgb").write_to_buffer(".jpg", Q=95)
for path in map(str.strip, sys.stdin):
    started = time.process_time(), time.perf_counter()
    run(path)
    print(1e3 * (time.process_time() - started[0]), 1e3 * (time.perf_counter() - started[1]), flush=True)
"""


class Child:
    """A process that answers each path with milliseconds of processor time, and by the clock."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def __call__(self, path: Path) -> tuple[float, ...]:
        """Work on a photo once."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return tuple(map(float, self._process.stdout.readline().split()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def network() -> Any:
    """The network of 2016 in Keras: L* in, a and b out at 256 x 256."""
    import keras
    from keras import layers

    light = keras.Input((256, 256, 1))
    x = light
    for filters, depth, stride, dilation in BLOCKS:
        for index in range(depth):
            last = stride if index == depth - 1 else 1
            x = layers.Conv2D(filters, 3, last, "same", dilation_rate=dilation, activation="relu")(x)
        x = layers.BatchNormalization()(x)
    x = layers.Conv2DTranspose(256, 4, 2, "same", activation="relu")(x)
    for _ in range(2):
        x = layers.Conv2D(256, 3, 1, "same", activation="relu")(x)
    x = layers.Softmax()(layers.Conv2D(BINS, 1)(x))
    x = layers.UpSampling2D(4, interpolation="bilinear")(layers.Conv2D(2, 1, use_bias=False)(x))
    return keras.Model(light, x)


def serve(name: str) -> None:
    """Be the child process of `ours` or `network`."""
    import numpy as np

    if name == "network":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        model = network()
        forward = tf.function(lambda light: model(light, training=False))
        light = tf.zeros((1, 256, 256, 1))
        forward(light)
        for _ in sys.stdin:
            started = time.process_time(), time.perf_counter()
            forward(light).numpy()
            _say(*started)
        return
    import cv2

    from model import saved_model
    from model.colorizer import Colorizer
    from model.upsampling import model_luminance, recolor
    from pipelines.images import encode, pages, samples

    cv2.setNumThreads(1)
    colorizer = Colorizer.load(saved_model.RELEASED, one_thread=True)
    recolor(np.zeros((16, 16), np.uint8), colorizer.predict(np.zeros((1, colorizer.size, colorizer.size, 1), "f4"))[0])
    for line in sys.stdin:
        data = Path(line.strip()).read_bytes()
        started = time.process_time(), time.perf_counter()
        page = next(pages.read(data))
        pixels = samples.to_bytes(page.pixels)
        seen = model_luminance(pixels, colorizer.size)
        colour = recolor(pixels, colorizer.predict(seen[None])[0], seen=seen)
        encode.encode([(colour, page.metadata)], "JPEG")
        _say(*started)


def _say(processor: float, clock: float) -> None:
    print(1e3 * (time.process_time() - processor), 1e3 * (time.perf_counter() - clock), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", help="a photo, made grey (default: one of scikit-image)")
    parser.add_argument("--vips", default="", metavar="PYTHON", help="interpreter that has pyvips")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.3, 3, 12])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--serve", choices=("ours", "network"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    import cv2
    from skimage import data

    photo = cv2.imread(args.photo, cv2.IMREAD_GRAYSCALE) if args.photo else data.camera()
    itself = [sys.executable, __file__]
    children = {"ours": Child([*itself, "--serve=ours"]), "network": Child([*itself, "--serve=network"])}
    if args.vips:
        children["vips"] = Child([args.vips, "-c", VIPS], {"VIPS_CONCURRENCY": "1"})
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'megapixels':>10}" + "".join(f"{name:>16}" for name in children) + "  ours / each", flush=True)
        for megapixels in args.megapixels:
            scale = (megapixels * 1e6 / photo.size) ** 0.5
            path = Path(folder) / f"{megapixels}.jpg"
            large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(path), large, [cv2.IMWRITE_JPEG_QUALITY, 90])
            found = [{name: child(path) for name, child in children.items()} for _ in range(args.runs)]
            medians = {
                name: [statistics.median(values) for values in zip(*(one[name] for one in found), strict=True)]
                for name in children
            }
            ours = medians["ours"][0]
            ratios = {name: round(ours / value, 2) for name, (value, _) in medians.items() if name != "ours"}
            cells = (f"{processor:.0f} / {clock:.0f}" for processor, clock in medians.values())
            row = f"{megapixels:>10}" + "".join(f"{cell:>16}" for cell in cells)
            print(f"{row}  {json.dumps(ratios)}", flush=True)
    for child in children.values():
        child.close()


if __name__ == "__main__":
    main()
