"""What an operator does to `colorize`: kill -9 again and again, with files among the photos that are made to hurt."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colorize_job import digests, identities, recorded, storm

from pipelines import colorize

CROPS = 16
PHOTOS = 4 * CROPS
POISON = 5
LONG = 1  # its name has no room for another extension and is shortened
KILLS = [1, pytest.param(5, marks=pytest.mark.chaos)]


def bomb() -> bytes:
    """A PNG of a few bytes that claims a hundred thousand pixels a side."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos: dict[str, np.ndarray], encoded: Callable[..., bytes]) -> Path:
    """Crops of real photos, two of one name but for case, and poison."""
    root = tmp_path_factory.mktemp("crops")
    for name, pixels in photos.items():
        (root / name).mkdir()
        rows = pixels.shape[0] - 160
        for index in range(CROPS):
            top = index * rows // CROPS
            crop = pixels[top : top + 160, 7 * index : 7 * index + 240]
            (root / name / f"{index}.jpg").write_bytes(encoded(crop, "JPEG", quality=92))
    (root / "rocket" / "0.jpg").rename(root / "rocket" / "1.JPG")
    whole = encoded(photos["coffee"], "JPEG")
    (root / "cut short.jpg").write_bytes(whole[:9000])
    (root / "empty.jpg").write_bytes(b"")
    (root / "letter.jpg").write_bytes(b"Dear archive,\n")
    (root / "bomb.png").write_bytes(bomb())
    (root / f"{'x' * 250}.bmp").write_bytes(encoded(photos["coffee"][:50, :50], "BMP"))
    return root


@pytest.fixture(scope="module")
def undisturbed(tree, saved_model_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "colour"
    assert colorize.main([f"--input={tree}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
    return output


def test_poison_hurts_nobody_else(undisturbed):
    report = json.loads((undisturbed / "report.json").read_text())
    assert report["inputs"] == PHOTOS + POISON
    assert report["outcomes"] == {"written": PHOTOS + LONG, "unreadable": 3, "too_large": 1}
    names = {output["name"] for record in recorded(undisturbed).values() for output in record["outputs"]}
    assert len(names) == len({name.casefold() for name in names}) == PHOTOS + LONG
    assert {"rocket/1.JPG", "rocket/1~2.jpg"} <= names


@pytest.mark.parametrize("kills", KILLS)
def test_killed_at_random_moments_it_ends_with_the_bytes_of_an_undisturbed_run(
    tree, undisturbed, saved_model_dir, tmp_path, kills
):
    flags = [f"--model={saved_model_dir}"]
    result = storm(tree, tmp_path, *flags, photos=PHOTOS + POISON, kills=kills, seed=2)
    assert result.killed_at
    before = identities(tmp_path)
    assert colorize.main([f"--input={tree}", f"--output={tmp_path}", *flags]) == 0
    assert digests(tmp_path) == digests(undisturbed)
    assert result.again == []
    assert before.items() <= identities(tmp_path).items()
    last = json.loads((tmp_path / "manifest" / "last_run.json").read_text())
    assert last["found"] >= result.killed_at[-1]
    assert last["made"] + last["found"] == PHOTOS + POISON
