"""What a whole archive costs on Dataflow, from the processor time of one photo measured here and public prices.

    python tests/bench/scale_bench.py [--megapixels=13] [--model=SAVED_MODEL] [--repeats=5]

Measures, in a process of its own each: the processor time of preparing an ImageNet photo (500 x 375, JPEG) and of
colorizing a grey JPEG scan, which is a mosaic of scikit-image's photos; the memory a pixel that decoding takes in both
jobs at 24 megapixels; the processor time of reading a listing page of 1,000 objects. Processor time hardly depends on
what else the machine does. Without --model the prediction is left out of the scan's time.

Then it multiplies. Not measured are the waiting for the network, which --efficiency stands for, and the prices, which
are those of us-central1 in 2025: https://cloud.google.com/dataflow/pricing, https://cloud.google.com/storage/pricing.
A GPU that predicts in no time saves the share of the prediction at most; the last line says what it may cost for that.
"""

import argparse
import io
import json
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from model.upsampling import model_luminance, recolor
from pipelines.dataset.examples import to_example
from pipelines.files import buckets
from pipelines.images import decode, pages
from pipelines.images.encode import encode

PAGE = 1000
WRITES_A_PHOTO = 1.01  # the photo, and a journal of 100
BUCKET_WRITES = 1000  # a second, before a bucket has grown: https://cloud.google.com/storage/docs/request-rate


@dataclass(frozen=True)
class Prices:
    """US dollars."""

    vcpu_hour: float = 0.056
    gb_hour: float = 0.003557
    shuffled_gb: float = 0.011
    write: float = 0.005 / 1000  # class A: creating, copying, listing
    read: float = 0.0004 / 1000  # class B
    stored_gb_month: float = 0.020


@dataclass(frozen=True)
class Work:
    """One run over an archive: photos, their bytes, processor seconds each, and objects created for each."""

    name: str
    photos: int
    gigabytes: float
    seconds: float
    writes: float


def mosaic(megapixels: float) -> np.ndarray:
    """A grey picture of natural detail: uint8 ``[S, S]``."""
    tiles = [getattr(skimage.data, name)() for name in ("camera", "moon", "brick", "gravel")]
    row = np.hstack([np.vstack(tiles[:2]), np.vstack(tiles[2:])])
    side = round((megapixels * 1e6) ** 0.5)
    times = -(-side // row.shape[0])
    return np.tile(row, (times, times))[:side, :side]


def encoded(pixels: np.ndarray, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def prepare_one(data: bytes) -> None:
    to_example(decode.decode(data, shrink_to=512), "a.jpg", 256).to_bytes()


def colorize_one(data: bytes, predict: Callable[[np.ndarray], np.ndarray]) -> None:
    page = next(pages.read(data))
    seen = model_luminance(page.pixels, 256)
    chroma = predict(seen[None])[0]
    encode([(recolor(page.pixels, chroma, 8, seen), page.metadata)], "JPEG")


def even(luminance: np.ndarray) -> np.ndarray:
    """A prediction that costs nothing."""
    return np.full((*luminance.shape[:3], 2), 0.1, np.float32)


def seconds_of(work: Callable[[], None], repeats: int) -> float:
    """The median processor time of a piece of work, all threads together."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return statistics.median(found)


def prepare_seconds(repeats: int) -> float:
    picture = cv2.resize(skimage.data.coffee(), (500, 375), interpolation=cv2.INTER_AREA)
    data = encoded(picture, "JPEG", quality=95)
    return seconds_of(lambda: prepare_one(data), 20 * repeats)


def colorize_seconds(repeats: int, megapixels: float, model: str) -> tuple[float, float]:
    """Of a scan without the prediction, and of the prediction (0 without a model)."""
    data = encoded(mosaic(megapixels), "JPEG", quality=90)
    scan = seconds_of(lambda: colorize_one(data, even), repeats)
    if not model:
        return scan, 0.0
    from model.colorizer import Colorizer

    predict = Colorizer.load(model).predict
    luminance = np.full((1, 256, 256, 1), 0.5, np.float32)
    return scan, seconds_of(lambda: predict(luminance) is None, repeats)


def bytes_a_pixel(job: str) -> float:
    """Growth of the most memory used, from a small photo to one of 24 megapixels, in a format that cannot be shrunk."""
    small, large = (mosaic(megapixels) for megapixels in (1, 24))
    if job == "prepare":
        files = [encoded(np.dstack([one] * 3), "PNG", compress_level=1) for one in (small, large)]
        works = [lambda data=data: decode.decode(data, shrink_to=512) for data in files]
    else:
        files = [encoded(one, "JPEG", quality=90) for one in (small, large)]
        works = [lambda data=data: colorize_one(data, even) for data in files]
    pixels = large.size - small.size
    del small, large
    peaks = []
    for work in works:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        work()
        status = Path("/proc/self/status").read_text().splitlines()
        peaks.append(next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM")))
    return (peaks[1] - peaks[0]) / pixels


def page_seconds(repeats: int) -> float:
    """Of reading a page of a listing, as a local server gives it."""
    items = [
        {
            "name": f"scans/box 17/photo {number:07d}.jpg",
            "bucket": "b",
            "size": "3000000",
            "generation": f"17000{number}",
        }
        for number in range(PAGE)
    ]
    body = json.dumps({"kind": "storage#objects", "items": items}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["STORAGE_EMULATOR_HOST"] = f"http://localhost:{server.server_port}"
        seconds = seconds_of(lambda: len(list(buckets.below("gs://b/scans"))) == PAGE or None, repeats)
        server.shutdown()
    return seconds


def alone(function: Callable[..., object], *arguments: object) -> object:
    """Calls a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def estimate(work: Work, vcpus: int, memory: float, efficiency: float, prices: Prices) -> str:
    """One row of the table."""
    busy = work.photos * work.seconds / 3600
    hours = busy / vcpus / efficiency
    compute = busy / efficiency * (prices.vcpu_hour + memory * prices.gb_hour)
    shuffled = 4 * 300 * work.photos / 1e9 * prices.shuffled_gb
    requests = work.photos * (prices.read + work.writes * prices.write) + work.photos / PAGE * prices.write
    rate = work.photos / hours / 3600
    speed = f"{rate:>9.0f} {rate * work.writes:>9.0f} {work.gigabytes / hours / 3.6:>9.0f}"
    return f"{work.name:<30} {vcpus:>5} {hours:>6.2f} {speed} {compute:>10,.2f} {shuffled + requests:>8,.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=13.0, help="of a scan (13, some 3 MB)")
    parser.add_argument("--model", default="", help="SavedModel folder")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--efficiency", type=float, default=0.8, help="of a worker's time that is computing (0.8)")
    parser.add_argument("--memory", type=float, default=4.0, help="GB a vCPU of the machine type (4)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    example = alone(prepare_seconds, args.repeats)
    scan, prediction = alone(colorize_seconds, args.repeats, args.megapixels, args.model)
    page = alone(page_seconds, args.repeats)
    size = len(encoded(mosaic(args.megapixels), "JPEG", quality=90))
    print(f"prepare, 500 x 375 JPEG: {1e3 * example:.1f} ms of processor time a photo")
    print(
        f"colorize, {args.megapixels:g} MP JPEG of {size / 1e6:.1f} MB: {scan:.2f} s, and {prediction:.3f} s to predict"
    )
    print(f"listing: {1e3 * page:.1f} ms a page of {PAGE:,}")
    for job in ("prepare", "colorize"):
        print(f"{job}: {alone(bytes_a_pixel, job):.1f} bytes of memory a pixel")
    columns = f"{'photos/s':>9} {'writes/s':>9} {'read MB/s':>9} {'workers $':>10} {'rest $':>8}"
    print(f"\n{'':<30} {'vCPU':>5} {'hours':>6} {columns}")
    scans = Work("10 million scans, 30 TB", 10_000_000, 30_000, scan + prediction, WRITES_A_PHOTO)
    imagenet = Work("ImageNet, 1.28 M, 138 GB", 1_281_167, 138, example, 1 / 1024)
    for work, sizes in ((scans, (100, 400, 1600)), (imagenet, (16, 64, 256))):
        for vcpus in sizes:
            print(estimate(work, vcpus, args.memory, args.efficiency, Prices()))
    print(f"\nA bucket that has not grown yet takes {BUCKET_WRITES:,} writes a second.")
    if prediction:
        share = prediction / (scan + prediction)
        saved = share * (Prices.vcpu_hour + args.memory * Prices.gb_hour)
        print(f"Predicting takes {share:.0%}; a GPU pays below ${saved:.4f} an hour for each vCPU that it serves.")


if __name__ == "__main__":
    main()
