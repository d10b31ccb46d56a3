"""Precision and recall of the warning `stain_suspected`, on colour photos whose truth is known.

    python tests/bench/stains_bench.py --input=DATA [--model=released] [--photos=1500] [--offset=7]

DATA holds ``photos/*.tar``, ``photos/people/*.tar`` and ``imagenet/train/*/*``. Each photo is made grey and predicted.
Two kinds of photos are stained, in parts of their area that have no texture:

    grey        3 % of it are truly grey (chroma under 6) and painted with chroma over 18, as in `chroma_faults`
    blotched    4 % of it vary in the prediction and not in the truth, by the measure that the warning uses

DATA may hold photos that the model was trained on, where it stains less. ``--offset`` takes other photos than those on
which the thresholds were chosen (7).
"""

import argparse
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from model import saved_model, stains
from model.colorizer import Colorizer, one_thread_a_prediction
from model.metrics import GREY_BELOW, STAINED_ABOVE
from model.upsampling import model_luminance
from tfrecords.color import Bytes, Floats, srgb_to_lab

GREY, BLOTCHED = 0.03, 0.04


def photos(folder: Path, number: int, offset: int) -> Iterator[Bytes]:
    """About this number of colour photos, evenly from all sets."""
    tars = [path for path in sorted(folder.glob("photos/**/*.tar")) if "tiny" not in path.name]
    each = max(1, number // (len(tars) + 4))
    files = sorted(folder.glob("imagenet/train/*/*"))
    for path in files[offset :: max(1, len(files) // (4 * each))]:
        if (pixels := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None:
            yield cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    for path in tars:
        with tarfile.open(path) as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
            for member in members[offset :: max(1, len(members) // each)]:
                pixels = cv2.imdecode(np.frombuffer(tar.extractfile(member).read(), np.uint8), cv2.IMREAD_COLOR)
                if pixels is not None:
                    yield cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def faults(seen: Floats, truth: Floats, painted: Floats) -> tuple[float, float]:
    """Smooth parts of the area that are truly grey and stained, and that are blotched by the model alone."""
    light = seen[..., 0] * np.float32(100)
    grain = len(light) / 64
    texture = cv2.GaussianBlur(light * light, (0, 0), grain) - np.square(cv2.GaussianBlur(light, (0, 0), grain))
    true, made = np.hypot(truth[..., 0], truth[..., 1]), np.hypot(painted[..., 0], painted[..., 1])
    grey = np.mean((texture < 16) & (true < GREY_BELOW) & (made > STAINED_ABOVE))
    return float(grey), stains.blotched_share(seen, painted) - stains.blotched_share(seen, truth)


def main() -> None:
    """Print the table."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--input", type=Path, required=True)
    flags.add_argument("--model", default=saved_model.RELEASED)
    flags.add_argument("--photos", type=int, default=1500)
    flags.add_argument("--offset", type=int, default=7)
    args = flags.parse_args()
    one_thread_a_prediction()
    model = Colorizer.load(args.model)
    rows = []
    for photo in photos(args.input, args.photos, args.offset):
        seen = model_luminance(photo, model.size)
        painted = model.predict(seen[None])[0]
        small = cv2.resize(photo, (model.size, model.size), interpolation=cv2.INTER_AREA)
        rows.append((stains.are_suspected(seen, painted), *faults(seen, srgb_to_lab(small)[..., 1:], painted)))
    suspected = np.array([row[0] for row in rows], bool)
    grey, blotched = np.array([row[1] for row in rows]) > GREY, np.array([row[2] for row in rows]) > BLOTCHED
    print(f"{len(rows)} photos, {suspected.sum()} suspected ({suspected.mean():.1%})")
    print(f"{'kind':<12}{'stained':>8}{'precision':>11}{'recall':>8}")
    for kind, stained in (("grey", grey), ("blotched", blotched), ("either", grey | blotched)):
        both = np.count_nonzero(suspected & stained)
        print(
            f"{kind:<12}{stained.sum():>8}{both / max(1, suspected.sum()):>11.0%}{both / max(1, stained.sum()):>8.0%}"
        )


if __name__ == "__main__":
    main()
