import errno
import hashlib
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.color
from PIL import Image, ImageOps

from model import saved_model
from model.colorizer import Colorizer
from pipelines import colorize
from pipelines.attempt import Studio, attempt
from pipelines.errors import ModelError
from pipelines.manifest import Record
from pipelines.naming import Named
from pipelines.outcomes import Undecided
from pipelines.photo_process import PhotoProcesses
from pipelines.render import render
from pipelines.runs import Maker, Settings
from pipelines.sources import Source
from tfrecords.errors import UserError


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def upright(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.fixture(scope="module")
def before(photo_tree) -> dict[str, tuple[str, int]]:
    return snapshot(photo_tree)


@pytest.fixture(scope="module")
def coloured(before, photo_tree, saved_model_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("coloured") / "out"
    flags = [f"--input={photo_tree}", f"--output={output}", f"--model={saved_model_dir}", "--format=png"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    return output


def pairs(photo_tree: Path, coloured: Path) -> list[tuple[Path, Path]]:
    found = []
    for path in coloured.rglob("*.png"):
        name = path.relative_to(coloured)
        source = photo_tree / name
        found.append((source if source.exists() else source.with_suffix(""), path))
    return found


def test_the_tree_is_mirrored(photo_tree, coloured):
    sources = {path.relative_to(photo_tree) for path in photo_tree.rglob("*") if path.is_file()}
    expected = {str(name) if name.suffix == ".png" else f"{name}.png" for name in sources if name.parts[0] != "broken"}
    found = {str(path.relative_to(coloured)) for path in coloured.rglob("*") if path.is_file()}
    account = {
        "photos-00000-of-00001.jsonl",
        "timings-00000-of-00001.jsonl",
        "runs.json",
        "last_run.json",
        "shards.json",
    }
    assert found == expected | {"report.json", "rejected.jsonl"} | {f"manifest/{name}" for name in account}


def test_sizes_are_those_of_the_upright_photos(photo_tree, coloured):
    found = pairs(photo_tree, coloured)
    assert len(found) == 14
    for source, result in found:
        assert upright(result).shape == upright(source).shape
    assert upright(coloured / "scans" / "box 1" / "turned.jpg.png").shape == (384, 303, 3)


def test_luminance_is_kept_and_colour_is_there(photo_tree, coloured):
    for source, result in pairs(photo_tree, coloured):
        lab = skimage.color.rgb2lab(upright(result))
        error = np.abs(lab[..., 0] - skimage.color.rgb2lab(upright(source))[..., 0])
        assert error.mean() < 0.5
        assert error.max() < 0.5
        assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 3


def test_outcomes_add_up_and_the_model_is_named(before, coloured, saved_model_dir):
    report = json.loads((coloured / "report.json").read_text())
    assert report["outcomes"] == {"unreadable": 3, "written": 14}
    assert sum(report["outcomes"].values()) == len(before)
    assert (report["model"], report["model_digest"]) == ("autoencoder_mini", saved_model.digest(saved_model_dir))
    assert report["settings"]["format"] == "png"
    lines = [json.loads(line) for line in (coloured / "rejected.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == ["broken/cut short.jpg", "broken/empty.jpg", "broken/letter.jpg"]
    assert all(line["reason"] == "unreadable" and line["detail"] for line in lines)


def test_sources_are_not_touched(before, coloured, photo_tree):
    assert snapshot(photo_tree) == before


def test_it_is_the_model_s_chroma(photo_tree, coloured, saved_model_dir):
    seen = np.asarray(Image.open(photo_tree / "moon.jpg"))
    small = skimage.color.rgb2lab(
        np.dstack([np.asarray(Image.fromarray(seen).resize((32, 32), Image.Resampling.BOX))] * 3)
    )
    chroma = Colorizer.load(saved_model_dir).predict(small[None, ..., :1].astype(np.float32) / 100)[0]
    found = skimage.color.rgb2lab(upright(coloured / "moon.jpg.png"))[..., 1:]
    means = found.reshape(32, 16, 32, 16, 2).mean(axis=(1, 3))
    # Where the moon's L leaves room for it, the colour is the model's.
    room = (small[..., 0] > 35) & (small[..., 0] < 75)
    assert room.mean() > 0.3
    assert np.abs(means - chroma)[room].mean() < 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("camera.jpg", "JPEG"),
        ("n00000001/chelsea [left].png", "PNG"),
        ("n00000000/rechts ü.tif", "TIFF"),
    ],
)
def test_one_file_keeps_its_name_and_format(photo_tree, coloured, saved_model_dir, tmp_path, name, expected):
    flags = [f"--input={photo_tree / name}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    result = tmp_path / "out" / Path(name).name
    with Image.open(result) as image:
        assert image.format == expected
    png = coloured / (name if name.endswith(".png") else f"{name}.png")
    assert np.abs(upright(result).astype(int) - upright(png)).mean() < (5 if expected == "JPEG" else 1e-9)


def test_two_runs_give_the_same_bytes(photo_tree, coloured, saved_model_dir, tmp_path):
    flags = [f"--input={photo_tree}/*.jpg", f"--output={tmp_path}", f"--model={saved_model_dir}", "--format=png"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    for name in ("camera.jpg.png", "coins.jpg.png", "moon.jpg.png"):
        assert (tmp_path / name).read_bytes() == (coloured / name).read_bytes()


def records(output: Path) -> dict[str, Record]:
    lines = (output / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    return {record.name: record for record in map(Record.from_json, lines)}


def test_every_input_has_a_record_that_is_true(before, photo_tree, coloured):
    found = records(coloured)
    assert found.keys() == before.keys()
    for name, record in found.items():
        data = (photo_tree / name).read_bytes()
        assert (record.bytes, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert record.status == ("rejected" if name.startswith("broken") else "written")
        for output in record.outputs:
            file = (coloured / output.name).read_bytes()
            assert (output.bytes, output.sha256) == (len(file), hashlib.sha256(file).hexdigest())
            assert upright(coloured / output.name).shape == (output.height, output.width, 3)
    assert found["n00000002/coffee whole.JPEG"].outputs[0].tone == "color"
    assert found["moon.jpg"].outputs[0].tone == "grayscale"
    assert found["moon.jpg"].outputs[0].colourfulness > 5


def test_times_of_every_stage_are_told(before, coloured):
    lines = (coloured / "manifest" / "timings-00000-of-00001.jsonl").read_text().splitlines()
    times = {line["name"]: line["milliseconds"] for line in map(json.loads, lines)}
    assert times.keys() == before.keys()
    assert list(times["moon.jpg"]) == ["read", "decode", "predict", "merge", "encode", "write"]
    assert list(times["broken/letter.jpg"]) == ["read", "decode"]


def photo_of(path: Path) -> Named:
    source = Source(str(path), path.name, path.stat().st_size, "1-1")
    return Named(source, source.name, source.name)


PROCESSES = PhotoProcesses(render)


def studio(predict, made: dict[str, bytes], format_: str = "keep", on_color: str = "recolor") -> Studio:
    def save(record: Record, files: dict[str, bytes]) -> Record:
        made.update(files)
        return record

    settings = Settings(format_, on_color=on_color)
    return Studio(Maker("mini", "0", settings, settings.digest()), 32, predict, save, PROCESSES)


def green(luminance: np.ndarray) -> np.ndarray:
    assert luminance.shape == (1, 32, 32, 1)
    return np.broadcast_to(np.array([-20, 20], np.float32), (1, 32, 32, 2))


def never(luminance: np.ndarray) -> np.ndarray:
    raise AssertionError


def test_photos_of_one_pixel_and_of_one_row(encoded, tmp_path):
    for shape in ((1, 1), (1, 3000), (3000, 1)):
        (tmp_path / "b.png").write_bytes(encoded(np.full(shape, 120, np.uint8), "PNG"))
        made: dict[str, bytes] = {}
        record = attempt(photo_of(tmp_path / "b.png"), studio(green, made, "tiff"))
        assert record.status == "written"
        assert list(made) == ["b.png.tif"]
        with Image.open(io.BytesIO(made["b.png.tif"])) as image:
            pixels = np.asarray(image)
        assert pixels.shape == (*shape, 3)
        assert (pixels[..., 1] > pixels[..., 0]).all()


def test_a_broken_photo_is_rejected_before_the_model_sees_it(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"Dear archive,")
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "a.jpg"), studio(never, made))
    assert (record.status, record.reason, record.bytes, record.outputs, made) == ("rejected", "unreadable", 13, (), {})


def test_what_is_in_colour_is_skipped_or_copied_when_asked_for(tmp_path, encoded, photos, grey_photos):
    sepia = np.clip(grey_photos["coins"][..., None] * np.array([1.07, 0.86, 0.67]), 0, 255).astype(np.uint8)
    for name, pixels in {
        "chelsea.bmp": photos["chelsea"],
        "sepia.bmp": sepia,
        "grey.bmp": grey_photos["coins"],
    }.items():
        (tmp_path / name).write_bytes(encoded(pixels, "BMP"))
    made: dict[str, bytes] = {}
    copied = attempt(photo_of(tmp_path / "chelsea.bmp"), studio(never, made, on_color="copy"))
    assert made == {"chelsea.bmp": (tmp_path / "chelsea.bmp").read_bytes()}
    assert (copied.status, copied.outputs[0].tone, copied.outputs[0].sha256) == ("copied", "color", copied.sha256)
    made.clear()
    skipped = attempt(photo_of(tmp_path / "chelsea.bmp"), studio(never, made, on_color="skip"))
    assert (skipped.status, skipped.outputs, made) == ("skipped", (), {})
    tones = {}
    for name in ("sepia.bmp", "grey.bmp"):
        record = attempt(photo_of(tmp_path / name), studio(green, made, on_color="skip"))
        assert record.status == "written"
        tones[name] = record.outputs[0].tone
    assert tones == {"sepia.bmp": "toned", "grey.bmp": "grayscale"}


def paged(path: Path, pages: list[np.ndarray]) -> None:
    images = [Image.fromarray(page) for page in pages]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")


def test_pages_stay_together_in_a_tiff_and_become_files_elsewhere(tmp_path, grey_photos, photos):
    pages = [grey_photos["coins"], photos["coffee"], grey_photos["moon"][:100]]
    paged(tmp_path / "scan.tif", pages)
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), studio(green, made))
    assert [(one.name, one.page, one.tone) for one in record.outputs] == [
        ("scan.tif", 1, "grayscale"),
        ("scan.tif", 2, "color"),
        ("scan.tif", 3, "grayscale"),
    ]
    assert [(one.height, one.width) for one in record.outputs] == [page.shape[:2] for page in pages]
    assert len({(one.bytes, one.sha256) for one in record.outputs}) == 1
    with Image.open(io.BytesIO(made["scan.tif"])) as image:
        assert image.n_frames == 3
    assert set(record.milliseconds) == {"read", "decode", "predict", "merge", "encode", "write"}
    made.clear()
    record = attempt(photo_of(tmp_path / "scan.tif"), studio(green, made, "png"))
    assert list(made) == [f"scan.tif.p00{page}.png" for page in (1, 2, 3)]
    for one, page in zip(record.outputs, pages, strict=True):
        assert (len(made[one.name]), one.sha256) == (one.bytes, hashlib.sha256(made[one.name]).hexdigest())
        with Image.open(io.BytesIO(made[one.name])) as image:
            assert image.size == page.shape[1::-1]
    # Not all of its pages are in colour.
    assert attempt(photo_of(tmp_path / "scan.tif"), studio(green, {}, on_color="skip")).status == "written"


LONG_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x3b\x01\x02\0\x70\x11\x01\0\x1a\0\0\0" + bytes(4) + b"x" * 70_000


@pytest.mark.parametrize(
    ("source", "target", "options", "expected"),
    [
        ("JPEG", "webp", {"comment": b"im Schnee"}, ("comment_dropped",)),
        ("JPEG", "jpeg", {"comment": b"im Schnee"}, ()),
        ("PNG", "jpeg", {"exif": LONG_EXIF}, ("exif_shortened",)),
        ("PNG", "png", {"exif": LONG_EXIF}, ()),
        ("JPEG", "jpeg", {"exif": b"Exif\0\0" + b"\xa5" * 40, "xmp": b"<x"}, ("exif_broken", "xmp_broken")),
    ],
)
def test_what_could_not_be_carried_is_in_the_record(tmp_path, encoded, grey_photos, source, target, options, expected):
    (tmp_path / "a").write_bytes(encoded(grey_photos["coins"], source, **options))
    record = attempt(photo_of(tmp_path / "a"), studio(green, {}, target))
    assert (record.status, record.warnings) == ("written", expected)


def test_warnings_of_all_pages_are_in_the_record_once(tmp_path, grey_photos):
    images = [Image.fromarray(grey_photos[name]) for name in ("coins", "moon", "camera")]
    packets = [b"<a/>", b"<a", b"<a"]
    for image, packet in zip(images, packets, strict=True):
        image.encoderinfo = {"tiffinfo": {700: packet}}
    images[0].save(tmp_path / "scan.tif", save_all=True, append_images=images[1:], tiffinfo={700: packets[0]})
    for target in ("tiff", "png"):
        assert attempt(photo_of(tmp_path / "scan.tif"), studio(green, {}, target)).warnings == ("xmp_broken",)


def test_a_broken_page_rejects_the_file_and_leaves_nothing_behind(tmp_path, grey_photos):
    paged(tmp_path / "scan.tif", [grey_photos["coins"], grey_photos["moon"]])
    data = (tmp_path / "scan.tif").read_bytes()
    (tmp_path / "scan.tif").write_bytes(data[: len(data) - len(data) // 4] + bytes(len(data) // 4 - 400) + data[-400:])
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), studio(green, made, "png"))
    assert (record.status, record.reason, record.outputs, made) == ("rejected", "unreadable", (), {})
    assert "page 2 of 2" in record.detail


def test_a_model_that_fails_is_no_photo_s_fault(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    with pytest.raises(ModelError, match="AssertionError"):
        attempt(photo_of(tmp_path / "a.jpg"), studio(never, {}))


def test_a_prediction_without_memory_is_tried_again_and_then_rejected(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def short(_: np.ndarray) -> np.ndarray:
        raise MemoryError

    with pytest.raises(Undecided) as raised:
        attempt(photo_of(tmp_path / "a.jpg"), studio(short, {}))
    assert isinstance(raised.value.__cause__, MemoryError)
    assert raised.value.__cause__.__cause__ is None
    record = attempt(photo_of(tmp_path / "a.jpg"), studio(short, {}), last=True)
    assert (record.status, record.reason) == ("rejected", "out_of_memory")


def test_a_name_that_no_file_can_have_is_a_rejection_and_a_full_disk_is_none(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def attempted(number: int) -> Record:
        def save(record: Record, files: dict[str, bytes]) -> Record:
            raise OSError(number, os.strerror(number))

        return attempt(photo_of(tmp_path / "a.jpg"), replace(studio(green, {}), save=save))

    assert attempted(errno.ENAMETOOLONG).reason == "unwritable"
    with pytest.raises(OSError, match="No space left"):
        attempted(errno.ENOSPC)


def test_pixels_that_break_the_join_reject_their_own_photo_only(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    record = attempt(photo_of(tmp_path / "a.jpg"), studio(lambda luminance: np.zeros((1, 0, 0, 2), np.float32), {}))
    assert (record.status, record.reason) == ("rejected", "failed")
    assert record.detail


@pytest.mark.parametrize("output", ["photos", "photos/below", ".", "link", "photos/../photos/x"])
def test_input_and_output_that_overlap_are_refused(
    tmp_path, monkeypatch, saved_model_dir, encoded, grey_photos, output
):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "coins.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    for pattern in ("photos", str(folder), "photos/*.png", "photos/coins.png"):
        with pytest.raises(UserError, match="overlap; choose an output folder apart"):
            colorize.main([f"--input={pattern}", f"--output={output}", f"--model={saved_model_dir}"])
    assert [path.name for path in folder.iterdir()] == ["coins.png"]
