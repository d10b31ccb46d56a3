import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from command_line import mistake
from photo_files import file_of

from pipelines import colorize
from pipelines.archive import mtimes
from pipelines.files.sources import Source

TAKEN = 1_000_000_123_456_789_000
PACKED = 1_111_111_111


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("times") / "scans"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name in ("a.png", "packed.png"):
        (folder / name).write_bytes(file_of(draw.integers(0, 256, (40, 40), np.uint8), "PNG"))
    with tarfile.open(folder / "box.tar", "w") as tar:
        info = tar.gettarinfo(str(folder / "packed.png"), "b.png")
        info.mtime = PACKED
        with (folder / "packed.png").open("rb") as file:
            tar.addfile(info, file)
    (folder / "packed.png").unlink()
    os.utime(folder / "a.png", ns=(TAKEN, TAKEN))
    return folder


def test_results_get_the_times_of_their_photos_and_are_not_made_again(scans, saved_model_dir, tmp_path):
    output = tmp_path / "out"
    flags = [f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", "--direct_num_workers=1"]
    assert colorize.main(flags) == 0
    before = (output / "a.png").stat()
    assert before.st_mtime_ns != TAKEN
    assert colorize.main([*flags, "--keep_mtime"]) == 0
    after = (output / "a.png").stat()
    assert (after.st_mtime_ns, after.st_ino) == (TAKEN, before.st_ino)
    assert (output / "box" / "b.png").stat().st_mtime_ns == PACKED * 10**9
    assert '"made": 0' in (output / "manifest" / "last_run.json").read_text()


def test_a_bucket_sets_times_itself(tmp_path, capsys):
    photo = tmp_path / "a.png"
    photo.write_bytes(file_of(np.zeros((40, 40), np.uint8), "PNG"))
    said = mistake(["colorize", str(photo), "gs://bucket/out", "--keep_mtime"], tmp_path, capsys)
    assert "--keep_mtime is for local files" in said


def test_a_photo_that_is_gone_or_in_a_bucket_has_no_time():
    for uri in ("/nowhere/a.jpg", "gs://bucket/a.jpg"):
        assert mtimes.of(Source(uri=uri, name="a.jpg", size=1, fingerprint="1-1")) is None
