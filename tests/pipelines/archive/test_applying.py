"""Scan and sidecar together are the colour file: checked on the files of `attempt`, which a job writes as they are."""

import json
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest

from pipelines.archive import chroma_file
from pipelines.archive.applying import Applied, apply
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Context
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.render import render
from pipelines.errors import Undecided
from pipelines.files import sources
from pipelines.images import encode
from pipelines.images.metadata import Metadata
from pipelines.runtime.photo_process import PhotoProcesses

PROCESSES = PhotoProcesses(render)


def chroma(luminance: np.ndarray) -> np.ndarray:
    """Colours that follow the luminance, finer than a sidecar keeps them."""
    return np.concatenate([luminance * 31.7 - 9.3, 17.1 - luminance * 23.9], axis=-1).astype(np.float32)


def colorized(root: Path, name: str, **settings: object) -> dict[str, bytes]:
    """Files of one photo, whose sidecar is in `root/chroma`."""
    made: dict[str, bytes] = {}
    recipe = Settings(sidecar=str(root / "chroma"), **settings)
    context = Context(
        recipe=Recipe(model="m", model_digest="0" * 64, settings=recipe, settings_digest=recipe.digest()),
        size=32,
        predict=lambda luminance, hints: chroma(luminance),
        save=lambda record, files: made.update(files) or record,
        processes=PROCESSES,
        load=lambda model: pytest.fail(f"{model} is not wanted"),
    )
    [source] = sources.everything(str(root / "scans" / name))
    record = attempt(NamedSource(source=source, own=source.name, stem=source.name), context)
    assert record.status == "written", record
    return made


def applied(
    root: Path, processes: object = PROCESSES, scans: str = "scans", **more: bool
) -> tuple[Applied, dict[str, bytes]]:
    [path] = (root / "chroma").iterdir()
    [sidecar] = sources.find(str(path))
    result = apply(sidecar, str(root / scans), str(root / "again"), processes, **more)
    there = (root / "again").rglob("*") if (root / "again").exists() else ()
    return result, {path.name: path.read_bytes() for path in there}


@pytest.fixture
def root(tmp_path, encoded, grey_photos) -> Path:
    (tmp_path / "scans").mkdir()
    grey = grey_photos["camera"][:200, :240]
    deep = np.dstack([grey] * 3).astype(np.uint16) * 257
    files = {
        "a.png": encode.encode([(deep, Metadata())], "PNG", bit_depth="keep"),
        "a.jpg": encoded(grey, "JPEG"),
        "a.tif": encode.encode([(deep, Metadata()), (deep[:50], Metadata())], "TIFF", bit_depth="keep"),
    }
    for name, data in files.items():
        (tmp_path / "scans" / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("a.tif", {"format": "png", "bit_depth": "8", "watermark": "off"}),
        ("a.png", {"label": "on"}),
        ("a.jpg", {"quality": 80, "color_space": "adobe_rgb", "borders": "keep"}),
    ],
)
def test_scan_and_sidecar_are_the_colour_file_byte_for_byte(root, name, settings):
    made = colorized(root, name, **settings)
    assert applied(root) == (Applied("made"), made)
    assert applied(root) == (Applied("found"), made)


def test_the_bytes_of_a_photo_do_not_depend_on_the_folder_of_its_sidecar(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "scans").symlink_to(root / "scans")
    assert colorized(root, "a.png") == colorized(other, "a.png")
    assert (root / "chroma" / "a.png.chroma").stat().st_size < 6000


def test_another_scan_and_a_file_of_somebody_else_are_left_alone(root):
    colorized(root, "a.png")
    scan = (root / "scans" / "a.png").read_bytes()
    (root / "scans" / "a.png").write_bytes(scan[:-1] + b"!")
    result, files = applied(root)
    assert (result.outcome, files) == ("failed", {})
    assert result.detail.endswith("is not the scan that it was made from")
    (root / "scans" / "a.png").unlink()
    assert applied(root)[0].outcome == "failed"
    (root / "scans" / "a.png").write_bytes(scan)
    (root / "again").mkdir()
    (root / "again" / "a.png").write_bytes(b"somebody's")
    result, files = applied(root)
    assert (result.outcome, files) == ("failed", {"a.png": b"somebody's"})


@pytest.mark.parametrize("scans", ["moved", "moved/box.tar"])
def test_a_scan_in_a_tar_is_found_where_the_tar_is_now(root, scans):
    with tarfile.open(root / "scans" / "box.tar", "w") as tar:
        tar.add(root / "scans" / "a.png", "a.png")
    made = colorized(root, "box.tar")
    (root / "scans").rename(root / "moved")
    assert applied(root, scans=scans) == (Applied("made"), made)


def test_a_scan_that_is_not_there_is_told_in_plain_words(root):
    colorized(root, "a.png")
    (root / "scans" / "a.png").unlink()
    assert applied(root)[0].detail == f"its scan {root}/scans/a.png cannot be read: No such file or directory"


def test_a_damaged_sidecar_makes_no_file(root):
    colorized(root, "a.png")
    path = root / "chroma" / "a.png.chroma"
    path.write_bytes(path.read_bytes()[:-40])
    result, files = applied(root)
    assert (result.outcome, files) == ("failed", {})


def test_a_sidecar_of_other_pages_than_the_scan_has_makes_no_file(root):
    colorized(root, "a.tif")
    path = root / "chroma" / "a.tif.chroma"
    whole = path.read_bytes()
    content = chroma_file.unpack(whole)
    start, (header, _) = whole[:20], whole[20:].split(b"\n", 1)
    for pages in (content.chroma[:1], content.chroma * 2):
        shapes = json.dumps({**json.loads(header), "shapes": [plane.shape[:2] for plane in pages]}).encode()
        values = b"".join(chroma_file._differences(chroma_file._steps(plane)) for plane in pages)
        path.write_bytes(start + shapes + b"\n" + lzma.compress(values))
        result, files = applied(root)
        assert (result.outcome, files) == ("failed", {})
        assert "is for" in result.detail


class _Dying:
    def call(self, *_: object, **__: object) -> None:
        raise Undecided("crashed", "its process died of SIGSEGV")


def test_a_photo_that_kills_its_process_is_tried_again(root):
    colorized(root, "a.png")
    with pytest.raises(Undecided):
        applied(root, _Dying())
    assert applied(root, _Dying(), last=True)[0] == Applied("failed", "its process died of SIGSEGV")
