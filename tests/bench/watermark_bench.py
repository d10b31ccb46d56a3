"""Measure the watermark: how visible it is, what it survives, how often it is found where it is not, what it costs.

    python tests/bench/watermark_bench.py --photos scans --unmarked photos

Each photo is colorized by the released model with the watermark and without it, and saved as the job saves JPEG. Each
change is made to that file, and what comes out is saved as JPEG again, quality 95 with chroma at half resolution,
except where the change is that of JPEG itself. ``--unmarked`` looks for the watermark in pictures that have none.
"""

import argparse
import io
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from model import borders
from model.colorizer import Colorizer
from model.framing import recolor_picture, seen_part
from model.upsampling import model_luminance
from model.watermark_code import Payload
from model.watermark_detector import Finding, find
from pipelines.errors import Rejected
from pipelines.files.tars import is_tar
from pipelines.images import encode, pages, samples
from pipelines.images.metadata import Metadata

PAYLOAD = Payload("c0ffee", "0a1b2c")
_CLASSES = (32, 300), (300, 400), (400, 800), (800, 100_000), (400, 100_000)
T = TypeVar("T")
_COMPARED = 40_000


def photos(places: list[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the photos in folders and tars, `limit` of each place, in an order by chance."""
    import tarfile

    found: list[tuple[str, Path]] = []
    for place in places:
        if is_tar(place):
            with tarfile.open(place) as tar:
                members = [member for member in tar.getmembers() if member.isfile()]
                for member in members[:: max(1, len(members) // limit)][:limit]:
                    file = tar.extractfile(member)
                    assert file is not None
                    yield member.name, file.read()
            continue
        files = sorted(path for path in Path(place).rglob("*") if path.is_file())
        found += [(path.name, path) for path in files[:: max(1, len(files) // limit)][:limit]]
    random.Random(0).shuffle(found)
    for name, path in found:
        yield name, path.read_bytes()


def until_interrupted(items: Iterable[T]) -> Iterator[T]:
    """Yield items until Ctrl-C or SIGTERM; what was measured is then shown."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    for item in items:
        if stop.is_set():
            return
        yield item


def opened(data: bytes) -> np.ndarray | None:
    """The pixels of a photo in 8 bits; None if it cannot be read."""
    try:
        return samples.to_bytes(next(pages.read(data)).pixels)
    except Rejected:
        return None


def jpeg(pixels: np.ndarray, quality: int = 95) -> np.ndarray:
    """Pixels saved as JPEG with chroma at half resolution, and read again."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer))


def resized(pixels: np.ndarray, longer: int) -> np.ndarray:
    scale = longer / max(pixels.shape[:2])
    height, width = (max(8, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def cropped(pixels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    height, width = (int(side * share) for side in pixels.shape[:2])
    top, left = rng.integers(0, pixels.shape[0] - height + 1), rng.integers(0, pixels.shape[1] - width + 1)
    return pixels[top : top + height, left : left + width]


def scaled(pixels: np.ndarray, factor: float, around: float = 0.0) -> np.ndarray:
    return np.clip((pixels - around) * factor + around + 0.5, 0, 255).astype(np.uint8)


def changes(pixels: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what may happen to a picture."""
    mean = float(pixels.mean())
    yield "as written", pixels
    yield "JPEG, quality 75, 4:2:0", jpeg(pixels, 75)
    yield "resized to 50 %", jpeg(resized(pixels, max(pixels.shape[:2]) // 2))
    yield "resized to 1,000 px", jpeg(resized(pixels, 1000))
    yield "cropped to 70 % of each side", jpeg(cropped(pixels, 0.7, rng))
    yield "brightness +20 %", jpeg(scaled(pixels, 1.2))
    yield "brightness -20 %", jpeg(scaled(pixels, 0.8))
    yield "contrast +20 %", jpeg(scaled(pixels, 1.2, mean))
    yield "contrast -20 %", jpeg(scaled(pixels, 0.8, mean))
    yield "turned by 90°", jpeg(np.ascontiguousarray(np.rot90(pixels)))
    yield "made grey", np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def table(found: dict[str, list[tuple[int, Finding]]]) -> None:
    """Print how often watermarks were found and read, by the longer side of the photos."""
    for least, most in _CLASSES:
        print(f"{f'{least:,} to {most - 1:,} px':<32}{'photos':>6}{'found':>8}{'read':>8}{'least z':>9}")
        for change, results in found.items():
            some = [finding for longer, finding in results if least <= longer < most]
            if not some:
                continue
            detected = np.mean([finding.detected for finding in some])
            read = np.mean([finding.detected and finding.payload == PAYLOAD for finding in some])
            z = min(finding.z for finding in some)
            print(f"{change:<32}{len(some):>6}{detected:>8.1%}{read:>8.1%}{z:>9.1f}")


def survival(places: list[str], limit: int) -> None:
    colorizer = Colorizer.load("released")
    found: dict[str, list[tuple[int, Finding]]] = defaultdict(list)
    means, tails, seconds = [], [], defaultdict(float)
    for index, data in enumerate(until_interrupted(data for _, data in photos(places, limit))):
        pixels = opened(data)
        if pixels is None or min(pixels.shape[:2]) < 32:
            continue
        picture = borders.find(pixels)
        seen = model_luminance(seen_part(pixels, picture), colorizer.size)
        chroma = colorizer.predict(seen[None])[0]
        made = {}
        for marked in (False, True):
            started = time.process_time()
            made[marked] = recolor_picture(pixels, chroma, picture, 8, seen, watermark=PAYLOAD if marked else None)
            seconds[f"merge, {'with' if marked else 'without'} watermark"] += time.process_time() - started
        step = max(1, round((pixels.shape[0] * pixels.shape[1] / _COMPARED) ** 0.5))
        plain, marked = (rgb2lab(made[which][::step, ::step]) for which in (False, True))
        difference = deltaE_ciede2000(marked, plain)
        means.append(difference.mean())
        tails.append(np.quantile(difference, 0.99))
        started = time.process_time()
        file = encode.encode([(made[True], Metadata())], "JPEG")
        seconds["encode"] += time.process_time() - started
        written = opened(file)
        assert written is not None
        for change, changed in changes(written, np.random.default_rng(index)):
            started = time.process_time()
            found[change].append((max(pixels.shape[:2]), find(changed)))
            seconds[f"find, {change}"] += time.process_time() - started
    table(found)
    print(f"CIEDE2000, mean of photos: {np.mean(means):.3f}, of the worst {max(means):.3f}; ", end="")
    print(f"99th percentile in a photo: {np.mean(tails):.2f}, of the worst {max(tails):.2f}")
    for what, total in seconds.items():
        print(f"{what}: {1e3 * total / len(means):.1f} ms a photo")


def false_alarms(places: list[str], limit: int, part_every: int) -> None:
    whole, part = [], []
    for index, data in enumerate(until_interrupted(data for _, data in photos(places, limit))):
        pixels = opened(data)
        if pixels is None or pixels.ndim == 2:
            continue
        whole.append(find(pixels, cropped=False))
        if index % part_every == 0:
            part.append(find(pixels))
    for what, findings in (("in whole", whole), ("in whole and in part", part)):
        alarms = sum(finding.detected for finding in findings)
        z = np.array([finding.z for finding in findings])
        print(f"{what}: {alarms} false alarms in {len(findings):,} pictures, z at most {z.max():.2f}", end="; ")
        print(f"least bound {min(finding.false_alarm for finding in findings):.2g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", nargs="*", default=[], help="folders and tars of photos to colorize")
    parser.add_argument("--limit", type=int, default=1_000_000, help="photos of each place at most")
    parser.add_argument("--unmarked", nargs="*", default=[], help="folders and tars of colour pictures")
    parser.add_argument("--unmarked_limit", type=int, default=1_000_000, help="pictures of each place at most")
    parser.add_argument("--part_every", type=int, default=10, help="how many pictures to one that is searched in part")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.photos:
        survival(args.photos, args.limit)
    if args.unmarked:
        false_alarms(args.unmarked, args.unmarked_limit, args.part_every)


if __name__ == "__main__":
    main()
