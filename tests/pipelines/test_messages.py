"""What a user reads after a mistake: the whole line, exit code 2, and nothing written."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from command_line import mistake

COLORIZE = "autochrome colorize --input scans --output colour"
PREPARE = "autochrome prepare --input imagenet/train --output records"
FIX = "name a folder, a photo, a .tar, a list, or a glob in quotes"


@pytest.fixture
def place(tmp_path, monkeypatch, encoded, grey_photos) -> Path:
    """A working folder with photos and what people take for photos."""
    (tmp_path / "scans").mkdir()
    photo = encoded(grey_photos["coins"], "PNG")
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / "scans" / name).write_bytes(photo)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "list.txt").write_text("scans/nowhere.png\n")
    (tmp_path / "list.CSV").write_text("file,year\nscans/a.png,1920\n")
    (tmp_path / "list.json").write_text("[]")
    with zipfile.ZipFile(tmp_path / "box.zip", "w") as box:
        box.writestr("a.png", photo)
    (tmp_path / "box.tar.gz").write_bytes(gzip.compress(b"\0" * 10240))
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "dataset.json").write_text(json.dumps({"format": "autochrome-lab", "version": 0}))
    (tmp_path / "records" / "train-00000-of-00001.tfrecord").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


GLOB = "is one path too many; if it comes from a glob, put the glob in quotes: --input 'scans/*.jpg'"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colorize --input scans/a.png scans/b.png scans/c.png --output colour", f"scans/b.png {GLOB}"),
        ("colorize --input scans/a.png scans/b.png", f"scans/b.png {GLOB}"),
        ("colorize scans/a.png scans/b.png scans/c.png colour", f"scans/c.png {GLOB}"),
        ("colorize --output colour scans/a.png scans/b.png", f"scans/b.png {GLOB}"),
        ("prepare --input scans/a.png scans/b.png --output records2", f"scans/b.png {GLOB}"),
        ("plan scans/a.png scans/b.png", f"scans/b.png {GLOB}"),
        (
            "colorize --input scans --output colour --runner=DirectRunner more",
            "more is neither a flag nor the value of one; leave it out",
        ),
    ],
)
def test_a_glob_without_quotes_is_told(place, capsys, line, said):
    assert mistake(line.split(), place, capsys) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colorize scans colour --quality abc", "--quality: must be a whole number from 1 to 100, not abc"),
        ("colorize scans colour --quality 0", "--quality: must be a whole number from 1 to 100, not 0"),
        ("colorize scans colour --quality", "--quality needs a value"),
        ("colorize scans colour --dry_run=yes", "--dry_run takes no value"),
        ("colorize scans colour --limit 1.5", "--limit: must be a whole number of 1 or more, not 1.5"),
        ("colorize scans colour --format gif", "--format: must be keep, jpeg, png, tiff or webp, not gif"),
        ("colorize scans colour --on_color paint", "--on_color: must be recolor, skip or copy, not paint"),
        ("colorize scans colour --bit_depth 16", "--bit_depth: must be keep or 8, not 16"),
        ("prepare scans out --size 7", "--size: must be a multiple of 8 from 8 to 2048, not 7"),
        (
            "prepare scans out --validation_percent 100",
            "--validation_percent: must be a number from 0 to below 100, not 100",
        ),
        ("plan scans --price_per_vcpu_hour nan", "--price_per_vcpu_hour: must be 0 or more, not nan"),
        ("train --data d --output o --epochs three", "--epochs: must be a whole number of 1 or more, not three"),
        ("train --data d --output o --max_minutes 0", "--max_minutes: must be more than 0, not 0"),
        ("evaluate --model m --data d --split test", "--split: must be train or validation, not test"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(place, capsys, line, said):
    assert mistake(line.split(), place, capsys) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "report --input scans",
            "--input is a flag of prepare, colorize, plan and apply, not of report; for example: "
            "autochrome report colour",
        ),
        ("colorize scans colour --epochs 3", f"--epochs is a flag of train, not of colorize; for example: {COLORIZE}"),
        (
            "train --data d --output o --keep_existing",
            "--keep_existing is a flag of colorize, not of train; for example: "
            "autochrome train --data records --output run --max_minutes 20",
        ),
        ("prepare scans out --dry_run", f"--dry_run is a flag of colorize, not of prepare; for example: {PREPARE}"),
    ],
)
def test_a_flag_of_another_command_is_told_whose_it_is(place, capsys, line, said):
    assert mistake(line.split(), place, capsys) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colourize scans colour", "unknown command colourize; did you mean colorize?"),
        ("colourise scans colour", "unknown command colourise; did you mean colorize?"),
        ("trai --data d", "unknown command trai; did you mean train?"),
        (
            "paint",
            "unknown command paint; the commands are prepare, train, evaluate, export, colorize, report, detect, "
            "apply, verify, deliver, plan, inspect and pack",
        ),
        ("colorize --inptu scans --output colour", "unknown flag --inptu; did you mean --input?"),
        ("colorize scans colour --dry-run", "unknown flag --dry-run; did you mean --dry_run?"),
        ("prepare --input scans --out=records2", "unknown flag --out; did you mean --output?"),
        ("colorize scans colour --runer=DirectRunner", "unknown flag --runer=DirectRunner; did you mean --runner?"),
        ("train --data d --output o --epoch=3", "unknown flag --epoch; did you mean --epochs?"),
        ("inspect records --deep", "unknown flag --deep; `autochrome inspect --help` lists the flags"),
    ],
)
def test_a_typo_is_answered_with_the_word_that_was_meant(place, capsys, line, said):
    assert mistake(line.split(), place, capsys) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colorize", f"colorize needs --input and --output; for example: {COLORIZE}"),
        ("colorize scans", f"colorize needs --output; for example: {COLORIZE}"),
        ("prepare --output records2", f"prepare needs --input; for example: {PREPARE}"),
        ("report", "report needs DIR; for example: autochrome report colour"),
        (
            "train records run",
            "train needs --data and --output; for example: "
            "autochrome train --data records --output run --max_minutes 20",
        ),
        ("report colour more", "more is neither a flag nor the value of one; for example: autochrome report colour"),
    ],
)
def test_what_is_missing_is_told_with_an_example(place, capsys, line, said):
    assert mistake(line.split(), place, capsys) == said


@pytest.mark.parametrize("command", ["colorize {} colour", "prepare {} records2", "plan {}"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere", f"--input nowhere does not exist; {FIX}"),
        ("scans/*.jpg", f"--input scans/*.jpg has no photos; {FIX}"),
        ("empty.txt", "--input empty.txt names no photos; write one path in each line"),
        (
            "list.txt",
            "--input list.txt: its only photo does not exist: scans/nowhere.png; "
            "name the folder that its paths are relative to with --root",
        ),
        (
            "list.CSV",
            "list.CSV has no column path or uri or id; its columns are: file, year; choose with --input_columns",
        ),
        (
            "list.json",
            "--input list.json cannot be read as a list; lists are .txt, .csv, .tsv, .jsonl and .parquet files",
        ),
        (
            "box.zip",
            "--input box.zip: compressed archives are not supported; unpack it to a folder or a .tar",
        ),
        (
            "box.tar.gz",
            "--input box.tar.gz: compressed archives are not supported; unpack it to a folder or a .tar",
        ),
        (
            "records",
            "--input records holds Lab records, not photos; name the photos, or use it with `autochrome train --data`",
        ),
    ],
)
def test_an_input_that_is_not_photos_is_refused_with_what_is_supported(place, capsys, command, path, said):
    assert mistake(command.format(path).split(), place, capsys) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "colorize scans/a.png one.gif",
            "--output one.gif: .gif files are not written; end it in .jpg, .png, .tif or .webp",
        ),
        (
            "colorize scans/a.png scans/b.png",
            "--output scans/b.png exists already; choose another name, or remove it first",
        ),
        ("colorize scans/a.png scans/a.png", "--output scans/a.png is the photo itself; choose another name"),
        (
            "colorize scans scans/colour",
            "--output scans/colour and scans overlap; choose a folder apart from the photos",
        ),
        (
            "colorize scans/a.png scans",
            "--output scans and scans/a.png overlap; choose a folder apart from the photos",
        ),
        ("colorize scans .", "--output . and scans overlap; choose a folder apart from the photos"),
        (
            "colorize scans/*.png scans",
            "--output scans and scans/*.png overlap; choose a folder apart from the photos",
        ),
        (
            "colorize scans/**/*.png scans/colour",
            "--output scans/colour and scans/**/*.png overlap; choose a folder apart from the photos",
        ),
    ],
)
def test_an_output_that_cannot_be_is_refused(place, capsys, line, said):
    assert mistake([*line.split(), "--model=released"], place, capsys) == said
