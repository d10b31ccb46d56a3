"""Precision and recall of the grey filter on real photos made grey and toned, beside those left as they are.

    python tests/bench/grayscale_bench.py --input=DATA [--every=20] [--offset=0] [--sheet=FOLDER]

DATA holds ``imagenet/train/*/*`` and ``photos/*.tar`` (colour photos) and ``archive/*`` (historic scans). Every photo
is judged as it is; a sample of them is also made grey, noisy grey, toned and muted, at the size of an ImageNet file and
through JPEG at qualities 30 to 95 with and without chroma subsampling. A hash of the name cuts the photos into two
halves: the rule and its numbers were found on one, and both are reported side by side. The labels by eye come from
contact sheets in the order of an earlier rule's figures, and three from what this one flagged, so "found toned" says
little of recall. ``--sheet`` writes contact sheets of the real photos that were flagged, for the eye.
"""

import argparse
import io
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from toned_prints import KINDS, to_bytes, tone

from pipelines.images.decode import Photo, decode
from pipelines.images.grayscale import TOLERANCE, Verdict, judge
from tfrecords.color import lab_to_srgb, srgb_to_lab

# Photos of the "colour" sets that are grey, toned, or drawings in one ink, by eye on contact sheets.
TONED_BY_EYE = {
    "animals": "00220 00883",
    "caltech101": """00046 00055 00117 00123 00144 00205 00287 00299 00307 00539 00572 00576 00580 00638 00650 00678
        00691 00748 00822 00832 00851 00901 01019 01125 01132 01141 01171 01256 01409 01470 01486 01508 01530 01550
        01560 01572 01676 01683 01697 01812 01835 01935 02029 02035 02060 02240 02340 02346 02409 02416 02505 02527
        02536 02538""",
    "cats_dogs": "00387 00718",
    "flower_photos": "00077 00307 00447 00546 00560 00801 01023 01069 01116",
    "imagenet": """ILSVRC2012_val_00000957 n01744401_rock_python n03028079_10563 n03028079_1473 n03028079_church
        n03141823_crutch n03394916_31743 n03417042_6549 n03425413_15276 n04099969_rocking_chair""",
    "imagenette": """n02102040_2248 n02102040_4824 n02979186_11128 n02979186_1464 n02979186_22439 n02979186_2513
        n02979186_4044 n03028079_14439 n03028079_16133 n03028079_25776 n03028079_31474 n03028079_7635 n03028079_9386
        n03394916_29798 n03394916_48463 n03425413_8408 n03445777_14237 n03445777_4109 n03445777_7686 n03445777_7853
        n03888257_4904""",
    "intel150": """00128 00285 00341 00347 00364 00426 00469 00556 00621 00663 00770 00848 00910 01222 01395 01476 01596
        01626 01851 01887 01913 01928 02008 02070 02125 02127 02180 02317 02331 02333 02501 02537 02542 02636 02681
        02794 02892 02991""",
    "landscape70": "00012",
    "pacs_photo": "00049 00119 00678",
    "sun_subset_a": "00189",
    "weather": "00110 00162 00280 00501",
}
TONED = {f"{source}/{stem}" for source, stems in TONED_BY_EYE.items() for stem in stems.split()}
# A file that WebP stores as grey comes back with up to 1.5 of chroma; no eye sees it.
INVISIBLE = 1.5
# One garment on one cloth, photographed from above: by far the hardest colour set.
FLAT_LAYS = "clothing_cc0"
SIDES = (256, 375, 375, 500, 800)
QUALITIES = (30, 40, 50, 60, 70, 80, 90, 95)
STRENGTHS = (0.2, 0.4, 0.7, 1.0)
REASONS = ("grayscale", "near_gray", "toned")


@dataclass(frozen=True)
class Case:
    """One judged picture."""

    name: str
    truth: str
    detail: str
    verdict: Verdict

    @property
    def tuned_on(self) -> bool:
        return bool(zlib.crc32(self.name.encode()) & 1)

    def flagged(self, tolerance: float) -> bool:
        v = self.verdict
        return v.reason == "grayscale" or v.residual <= v.allowed * tolerance / TOLERANCE


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The name (set/file) and bytes of every photo."""
    for path in sorted(folder.glob("imagenet/train/*/*")):
        yield f"imagenet/{path.name}", path.read_bytes()
    for path in sorted(folder.glob("archive/*")):
        yield f"archive/{path.name}", path.read_bytes()
    for path in sorted(folder.glob("photos/*.tar")):
        if path.stem == "tiny_imagenet_64px":
            continue
        with tarfile.open(path) as tar:
            for member in tar:
                stream = tar.extractfile(member)
                if stream is not None:
                    yield f"{path.stem}/{Path(member.name).name}", stream.read()


def judged(photo: Photo) -> Verdict:
    """The verdict on a photo as the job would reach it."""
    if photo.pixels.ndim == 2:
        return Verdict(reason="grayscale", chroma=0.0, residual=0.0, allowed=TOLERANCE)
    return judge(photo.pixels, photo.chroma_step)


def through(rgb: np.ndarray, quality: int, subsampling: int) -> Photo:
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return decode(stream.getvalue(), 512)


def uncompressed(rgb: np.ndarray) -> Photo:
    height, width = rgb.shape[:2]
    return Photo(pixels=rgb, height=height, width=width, format="PNG")


def made(rgb: np.ndarray, seed: int) -> Iterator[tuple[str, str, Photo]]:
    """Truth, detail and photo of what is made of one colour photo."""
    rng = np.random.default_rng(seed)

    def coded(pixels: np.ndarray) -> tuple[str, Photo]:
        quality, subsampling = int(rng.choice(QUALITIES)), int(rng.choice([0, 2]))
        return f"q{quality}", through(pixels, quality, subsampling)

    scale = rng.choice(SIDES) / min(rgb.shape[:2])
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=kernel)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if rng.random() < 0.3:  # the grain of film
        gray = np.clip(gray + rng.normal(0, rng.choice([3, 8, 15]), gray.shape) + 0.5, 0, 255).astype(np.uint8)
    triple = np.dstack([gray] * 3)
    yield "grayscale", "uncompressed", uncompressed(triple)
    yield "grayscale", *coded(triple)
    noise = rng.normal(0, rng.choice([2, 4, 8]), triple.shape)
    detail, noisy = coded(np.clip(triple + noise + 0.5, 0, 255).astype(np.uint8))
    # At low quality JPEG rounds all of the chroma away.
    yield "near_gray" if np.ptp(noisy.pixels, axis=2).any() else "grayscale", detail, noisy
    for kind in rng.choice(KINDS, 4, replace=False):
        strength = float(rng.choice(STRENGTHS))
        pixels = tone(gray, str(kind), strength, rng)
        detail, photo = coded(pixels) if rng.random() < 0.9 else ("uncompressed", uncompressed(pixels))
        yield "toned", f"{kind}, strength {strength}, {detail}", photo
    strength = float(rng.choice(STRENGTHS))
    scan = through(tone(gray, str(rng.choice(KINDS)), strength, rng), int(rng.choice([60, 80])), 2).pixels
    smaller = cv2.resize(scan, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    yield "toned", f"made smaller and coded again, strength {strength}, q92", through(smaller, 92, 2)
    lab = srgb_to_lab(rgb)
    for factor in (0.3, 0.5):
        yield "muted", f"chroma x {factor}", uncompressed(lab_to_srgb(lab * np.float32([1, factor, factor])))
    yield "muted", "65 % fog", uncompressed(to_bytes(0.35 * rgb / 255 + 0.65 * np.array([0.80, 0.82, 0.84])))


def judge_file(name: str, data: bytes, make: bool, offset: int) -> list[Case]:
    """The cases of one file: as it is and, where asked, what is made of it."""
    cv2.setNumThreads(1)
    photo = decode(data, 512)
    verdict = judged(photo)
    if name.startswith("archive/"):
        return [Case(name, "archive", "", verdict)]
    rgb = photo.pixels if photo.pixels.ndim == 3 else np.dstack([photo.pixels] * 3)
    blocks = cv2.resize(srgb_to_lab(rgb), (16, 16), interpolation=cv2.INTER_AREA)
    if np.hypot(blocks[..., 1], blocks[..., 2]).max() <= INVISIBLE:
        return [Case(name, "found grey", "", verdict)]
    if name.rsplit(".", 1)[0] in TONED:
        return [Case(name, "found toned", "", verdict)]
    cases = [Case(name, "colour", name.split("/")[0], verdict)]
    if make:
        cases += [Case(name, *rest, judged(p)) for *rest, p in made(rgb, zlib.crc32(name.encode(), offset))]
    return cases


def keys(case: Case) -> Iterator[str]:
    """The lines of the table that a case counts for."""
    yield case.truth
    if case.truth == "colour" and case.detail != FLAT_LAYS:
        yield "  colour, without flat lays of clothes"
    if case.truth == "toned":
        yield from (f"  toned, {part}" for part in case.detail.split(", "))
    elif case.truth in ("colour", "muted"):
        yield f"  {case.truth}, {case.detail}"


def report(cases: list[Case]) -> None:
    print("tolerance: recall of toned, colour lost (the half for tuning)")
    for tolerance in TOLERANCE * np.arange(0.7, 1.31, 0.1):
        rates = [
            np.mean([case.flagged(tolerance) for case in cases if case.tuned_on and case.truth == truth])
            for truth in ("toned", "colour")
        ]
        print(f"  {tolerance:.3f}: {rates[0]:8.2%} {rates[1]:8.2%}")

    table: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        for key in keys(case):
            table[key].append(case)
    print(f"\n{'dropped':40}{'the half for tuning':>22}{'the other half':>22}  reasons there")
    for key in sorted(table, key=str.strip):
        line = f"  {key:38}"
        for tuning in (True, False):
            group = [case.verdict.reason for case in table[key] if case.tuned_on == tuning]
            line += f"{len(group):12} {np.mean([reason is not None for reason in group] or 0):9.2%}"
        print(line, {reason: group.count(reason) for reason in REASONS})

    for tuning in (True, False):
        print(f"\nprecision and recall by reason ({'the half for tuning' if tuning else 'the other half'})")
        known = [c for t in (*REASONS, "colour") for c in table[t] if c.tuned_on == tuning]
        for reason in REASONS:
            hits = sum(case.truth == case.verdict.reason == reason for case in known)
            called = sum(case.verdict.reason == reason for case in known)
            true = [case.verdict.reason is not None for case in known if case.truth == reason]
            recall = hits / len(true)
            print(f"  {reason:10} precision {hits / called:8.2%}  recall {recall:8.2%}  dropped {np.mean(true):8.2%}")
    print("\nmissed in the other half:")
    for case in table["toned"] + table["near_gray"]:
        if case.verdict.reason is None and not case.tuned_on:
            v = case.verdict
            print(f"  {case.name}: {case.detail}; residual {v.residual:.2f} > {v.allowed:.2f}, chroma {v.chroma:.0f}")


def sheets(cases: list[Case], source: Path, folder: Path) -> None:
    """Contact sheets of the colour photos that were flagged."""
    wanted = {case.name: case.verdict for case in cases if case.truth == "colour" and case.verdict.reason}
    tiles = []
    for name, data in files(source):
        if name in wanted:
            rgb = cv2.resize(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), (128, 128), fx=0, fy=0)
            tile = np.full((144, 132, 3), 255, np.uint8)
            tile[:128, :128] = rgb
            cv2.putText(tile, name[:6] + name.rsplit(".", 1)[0][-8:], (1, 140), 0, 0.4, (0, 0, 0))
            tiles.append(tile)
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(tiles), 120):
        page = tiles[start : start + 120]
        page += [np.full_like(page[0], 255)] * (-len(page) % 12)
        rows = [np.hstack(page[i : i + 12]) for i in range(0, len(page), 12)]
        Image.fromarray(np.vstack(rows)).save(folder / f"flagged-{start // 120}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, help="folder with imagenet/, photos/ and archive/")
    parser.add_argument("--every", type=int, default=20, help="make others of every n-th photo of the tars")
    parser.add_argument("--offset", type=int, default=0, help="another n makes others, of other photos")
    parser.add_argument("--sheet", type=Path, help="folder for contact sheets of the colour photos flagged")
    args = parser.parse_args()
    cases: list[Case] = []
    with ProcessPoolExecutor(2) as pool:
        names, data = zip(*files(args.input), strict=True)
        steps = [2 if name.startswith("imagenet/") else args.every for name in names]
        make = [i % step == args.offset % step for i, step in enumerate(steps)]
        for result in pool.map(judge_file, names, data, make, [args.offset] * len(names), chunksize=32):
            cases += result
    report(cases)
    if args.sheet:
        sheets(cases, args.input, args.sheet)


if __name__ == "__main__":
    main()
