"""Make the pictures of docs/gallery: twelve public-domain photos, colorized by the released model.

    python deploy/gallery.py --output docs/gallery

Each picture shows the grey photo, the colorized one and, where it is known, the original. All photos ship inside
scikit-image, whose documentation says that they are in the public domain or under CC0.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

PHOTOS = (
    *("astronaut", "brick", "camera", "chelsea", "clock", "coffee"),
    *("coins", "grass", "gravel", "hubble_deep_field", "retina", "rocket"),
)
HEIGHT = 200
"""Height of each picture in pixels."""
QUALITY = 85
"""Quality of the JPEG files: all stay below 60 kB."""


def strip(photo: Image.Image, grey: Image.Image, colour: Image.Image) -> Image.Image:
    """Return grey, colorized and original side by side; no original where the photo has no colour.

    Args:
        photo: as it ships.
        grey: what was colorized.
        colour: the result, of the same size.
    """
    shown = [grey, colour, photo] if photo.mode == "RGB" else [grey, colour]
    size = (round(photo.width * HEIGHT / photo.height), HEIGHT)
    small = [np.asarray(one.convert("RGB").resize(size, Image.Resampling.LANCZOS)) for one in shown]
    return Image.fromarray(np.concatenate(small, axis=1))


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the pictures")
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    photos = {name: Image.fromarray(getattr(data, name)()) for name in PHOTOS}
    with tempfile.TemporaryDirectory(prefix="autochrome-gallery-") as folder:
        scans, colour = Path(folder, "scans"), Path(folder, "colour")
        scans.mkdir()
        for name, photo in photos.items():
            photo.convert("L").save(scans / f"{name}.png")
        command = [sys.executable, "-m", "pipelines.cli", "colorize", f"--input={scans}", f"--output={colour}"]
        subprocess.run(command, check=True)
        for name, photo in photos.items():
            grey, coloured = (Image.open(place / f"{name}.png") for place in (scans, colour))
            strip(photo, grey, coloured).save(output / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
