"""Jobs over photos whose decoders crash, spin or fill the memory: they are rejected, and all others are done."""

import json
from collections.abc import Callable
from pathlib import Path

import hostile
import pytest

from pipelines import colorize, estimate, prepare, single
from pipelines.errors import JobFailedError
from pipelines.limits import Limits

GOOD = 6


@pytest.fixture
def folder(tmp_path, encoded, photos) -> Callable[..., Path]:
    """A folder of small good photos, and of those that are told to misbehave."""

    def make(*hostile_ones: str) -> Path:
        root = tmp_path / "photos"
        root.mkdir(exist_ok=True)
        file = encoded(photos["coffee"][:64, :64], "JPEG")
        for index in range(GOOD):
            (root / f"good {index}.jpg").write_bytes(file + b"%d" % index)
        for index, word in enumerate(hostile_ones):
            (root / f"bad {index}.jpg").write_bytes(file + b"#" + word.encode())
        return root

    return make


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """The jobs' handlers, with faults."""
    for module in (colorize, single, estimate):
        monkeypatch.setattr(module, "render", hostile.broken_render)
    monkeypatch.setattr(prepare, "convert", hostile.broken_convert)


@pytest.fixture
def limits(monkeypatch):
    monkeypatch.setattr(Limits, "of", lambda size: Limits(300_000_000, 1, 20))


def coloured(root: Path, output: Path, model: str) -> dict[str, dict]:
    flags = [f"--input={root}", f"--output={output}", f"--model={model}"]
    assert colorize.main(flags) == 0
    lines = (output / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    return {record["name"]: record for record in map(json.loads, lines)}


def verdicts(records: dict[str, dict]) -> dict[str, tuple[str, str]]:
    return {name: (one["reason"], one["detail"]) for name, one in records.items() if one["status"] == "rejected"}


@pytest.mark.usefixtures("limits")
def test_colorize_rejects_photos_that_crash_spin_or_fill_and_makes_the_others(folder, saved_model_dir, tmp_path):
    root = folder("die 11", "die 6", "spin", "fill", "die 9", "exit 3")
    found = coloured(root, tmp_path / "out", saved_model_dir)
    assert verdicts(found) == {
        "bad 0.jpg": ("crashed", "its process died of SIGSEGV"),
        "bad 1.jpg": ("crashed", "its process died of SIGABRT"),
        "bad 2.jpg": ("timed_out", "not done after 1 s of processor time"),
        "bad 3.jpg": ("too_large", "more than 0.3 GB of memory"),
        "bad 4.jpg": ("out_of_memory", "its process was killed, as the system does when memory runs out"),
        "bad 5.jpg": ("crashed", "its process ended with exit code 3"),
    }
    assert sum(record["status"] == "written" for record in found.values()) == GOOD
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["inputs"] == GOOD + 6


def test_a_photo_that_crashed_is_tried_again_by_the_next_run(folder, saved_model_dir, tmp_path):
    root = folder("die 11")
    first = coloured(root, tmp_path / "out", saved_model_dir)
    assert first["bad 0.jpg"]["reason"] == "crashed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colorize, "render", hostile.render)
        again = coloured(root, tmp_path / "out", saved_model_dir)
    assert again["bad 0.jpg"]["status"] == "written"


def test_a_photo_that_died_once_is_made_with_the_bytes_of_a_quiet_run(folder, saved_model_dir, tmp_path):
    root = folder(f"die-once {tmp_path / 'died'}")
    found = coloured(root, tmp_path / "out", saved_model_dir)
    assert (tmp_path / "died").exists()
    quiet = coloured(root, tmp_path / "quiet", saved_model_dir)
    assert found == quiet
    assert found["bad 0.jpg"]["status"] == "written"


def test_a_fault_of_our_own_ends_the_job(folder, saved_model_dir, tmp_path):
    with pytest.raises(JobFailedError, match="please report it: ZeroDivisionError: a bug"):
        coloured(folder("bug"), tmp_path / "out", saved_model_dir)


@pytest.mark.parametrize(("word", "said"), [("die 11", "crashed: its process died of SIGSEGV"), ("spin", "timed_out")])
@pytest.mark.usefixtures("limits")
def test_a_single_photo_that_crashes_is_rejected(folder, saved_model_dir, tmp_path, capsys, word, said):
    flags = [f"--input={folder(word) / 'bad 0.jpg'}", f"--output={tmp_path / 'a.jpg'}", f"--model={saved_model_dir}"]
    assert colorize.main(flags) == 1
    assert said in capsys.readouterr().out
    assert not (tmp_path / "a.jpg").exists()


@pytest.mark.usefixtures("limits")
def test_plan_tells_of_photos_that_crash(folder, saved_model_dir, capsys):
    assert estimate.main([f"--input={folder('die 11', 'spin')}", f"--model={saved_model_dir}"]) == 0
    out = capsys.readouterr().out
    assert "crashed" in out
    assert "timed_out" in out


def prepared(root: Path, output: Path) -> dict[str, tuple[str, str]]:
    flags = ["--size=32", "--num_shards=1", "--validation_percent=0", "--direct_num_workers=1"]
    assert prepare.main([f"--input={root}", f"--output={output}", *flags]) == 0
    lines = map(json.loads, (output / "rejected.jsonl").read_text().splitlines())
    return {line["name"]: (line["reason"], line["detail"]) for line in lines}


@pytest.mark.usefixtures("limits")
def test_prepare_rejects_photos_that_crash_spin_or_fill_and_writes_the_others(folder, tmp_path):
    root = folder("die 11", "spin", "fill", "die 6")
    assert prepared(root, tmp_path / "out") == {
        "bad 0.jpg": ("crashed", "its process died of SIGSEGV"),
        "bad 1.jpg": ("timed_out", "not done after 1 s of processor time"),
        "bad 2.jpg": ("too_large", "more than 0.3 GB of memory"),
        "bad 3.jpg": ("crashed", "its process died of SIGABRT"),
    }
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["outcomes"]["written"] == GOOD


def test_prepare_writes_a_photo_that_died_once_in_its_place(folder, tmp_path):
    root = folder(f"die-once {tmp_path / 'died'}")
    assert prepared(root, tmp_path / "out") == {}
    assert (tmp_path / "died").exists()
    assert prepared(root, tmp_path / "quiet") == {}
    (name,) = (path.name for path in (tmp_path / "out").glob("train-*.tfrecord"))
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "quiet" / name).read_bytes()


def test_prepare_stops_where_memory_is_short_and_rejects_nothing(folder, tmp_path):
    with pytest.raises(JobFailedError, match=r"^the job failed: bad 0.jpg: its process was killed.* give the workers"):
        prepared(folder("die 9"), tmp_path / "out")
    assert not (tmp_path / "out" / "rejected.jsonl").exists()
    assert not list((tmp_path / "out" / "parts").glob("*.tfrecord.json"))
