"""Jobs over photos whose decoders crash, spin or fill the memory: they are rejected, and all others are done."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile
import kept_processes
import pytest

from pipelines import colorize, plan, prepare
from pipelines.archive import context
from pipelines.dataset import prepare_photos
from pipelines.errors import JobFailedError
from pipelines.images.limits import Limits

GOOD = 6
# One of each kind: `runtime/test_photo_process.py` has the other signals and exit codes.
WORDS = ("die 11", "spin", "fill")
VERDICTS = {
    "bad 0.jpg": ("crashed", "its process died of SIGSEGV"),
    "bad 1.jpg": ("timed_out", "it took more than 1 s of processor time"),
    "bad 2.jpg": ("too_large", "it needs more than 0.3 GB of memory"),
}


@pytest.fixture(scope="module", autouse=True)
def _processes_are_not_kept() -> Iterator[None]:
    with kept_processes.not_kept():
        yield


@pytest.fixture
def folder(tmp_path, encoded, photos) -> Callable[..., Path]:
    """A folder of small good photos, and of those that are told to misbehave."""

    def make(*words: str) -> Path:
        root = tmp_path / "photos"
        root.mkdir()
        file = encoded(photos["coffee"][:64, :64], "JPEG")
        for index in range(GOOD):
            (root / f"good {index}.jpg").write_bytes(file + b"%d" % index)
        for index, word in enumerate(words):
            (root / f"bad {index}.jpg").write_bytes(file + b"#" + word.encode())
        return root

    return make


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """The jobs' handlers, with faults; small limits."""
    monkeypatch.setattr(context, "render", hostile.broken_render)
    for module in (prepare, prepare_photos):
        monkeypatch.setattr(module, "HANDLER", "hostile:broken_convert")
    monkeypatch.setattr(Limits, "of", lambda size, **_: Limits(memory=300_000_000, processor=1, wall=60))


def coloured(root: Path, output: Path, model: str) -> dict[str, dict]:
    assert colorize.main([f"--input={root}", f"--output={output}", f"--model={model}"]) == 0
    lines = (output / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    return {record["name"]: record for record in map(json.loads, lines)}


def verdicts(records: dict[str, dict]) -> dict[str, tuple[str, str]]:
    return {name: (one["reason"], one["detail"]) for name, one in records.items() if one["status"] == "rejected"}


def test_colorize_rejects_photos_that_crash_spin_or_fill_and_makes_the_others(folder, saved_model_dir, tmp_path):
    root = folder(*WORDS, "die 9", f"die-first 1 {tmp_path / 'died'}")
    found = coloured(root, tmp_path / "out", saved_model_dir)
    shortage = ("out_of_memory", "its process was killed, probably because memory ran out")
    assert verdicts(found) == {**VERDICTS, "bad 3.jpg": shortage}
    assert json.loads((tmp_path / "out" / "report.json").read_text())["inputs"] == len(found) == GOOD + 5
    # The one that died at first is there, and so are the good ones, as a quiet run makes them.
    assert (tmp_path / "died").exists()
    for name in VERDICTS:
        (root / name).unlink()
    (root / "bad 3.jpg").unlink()
    quiet = coloured(root, tmp_path / "quiet", saved_model_dir)
    assert len(quiet) == GOOD + 1
    assert {name: record for name, record in found.items() if record["status"] == "written"} == quiet


def test_a_fault_of_our_own_ends_the_job(folder, saved_model_dir, tmp_path):
    with pytest.raises(JobFailedError, match="please report it: ZeroDivisionError: a bug"):
        coloured(folder("bug"), tmp_path / "out", saved_model_dir)


@pytest.mark.parametrize(("word", "said"), [("die 11", "crashed: its process died of SIGSEGV"), ("spin", "timed_out")])
def test_a_single_photo_that_crashes_is_rejected(folder, saved_model_dir, tmp_path, capfd, word, said):
    flags = [f"--input={folder(word) / 'bad 0.jpg'}", f"--output={tmp_path / 'a.jpg'}", f"--model={saved_model_dir}"]
    assert colorize.main(flags) == 1
    out, err = capfd.readouterr()
    assert said in out
    assert "Segmentation" not in err
    assert not (tmp_path / "a.jpg").exists()


def test_plan_tells_of_photos_that_crash(folder, saved_model_dir, capsys):
    assert plan.main([f"--input={folder('die 11', 'spin')}", f"--model={saved_model_dir}"]) == 0
    out = capsys.readouterr().out
    assert "crashed" in out
    assert "timed_out" in out


def prepared(root: Path, output: Path) -> dict[str, tuple[str, str]]:
    flags = ["--size=32", "--num_shards=1", "--validation_percent=0", "--direct_num_workers=1"]
    assert prepare.main([f"--input={root}", f"--output={output}", *flags]) == 0
    lines = map(json.loads, (output / "rejected.jsonl").read_text().splitlines())
    return {line["name"]: (line["reason"], line["detail"]) for line in lines}


def shard(output: Path) -> bytes:
    (path,) = output.glob("train-*.tfrecord")
    return path.read_bytes()


def test_prepare_rejects_photos_that_crash_spin_or_fill_and_writes_the_others(folder, tmp_path):
    root = folder(*WORDS, f"die-first 1 {tmp_path / 'died'}")  # by itself, after another one has ended its batch
    assert prepared(root, tmp_path / "out") == VERDICTS
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["outcomes"]["written"] == GOOD + 1
    # The one that died at first is in its place.
    assert (tmp_path / "died").exists()
    for name in VERDICTS:
        (root / name).unlink()
    assert prepared(root, tmp_path / "quiet") == {}
    assert shard(tmp_path / "out") == shard(tmp_path / "quiet")


def test_prepare_stops_where_memory_is_short_and_rejects_nothing(folder, tmp_path):
    with pytest.raises(JobFailedError, match=r"^the job failed: bad 0.jpg: its process was killed.* give the workers"):
        prepared(folder("die 9"), tmp_path / "out")
    assert not (tmp_path / "out" / "rejected.jsonl").exists()
    assert not list((tmp_path / "out" / "parts").glob("*.tfrecord.json"))
