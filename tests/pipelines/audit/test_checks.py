import json
from dataclasses import replace
from pathlib import Path

import pytest
from colorized_folder import Folder, sha256

from model import saved_model
from pipelines.archive import provenance, run_list
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import RUNS_FILE, Output
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.record_files import Damage
from pipelines.audit import checks
from tfrecords.errors import UserError

SETTINGS = Settings(quality=80)
RECIPE = Recipe(model="m", model_digest="ab" * 32, settings=SETTINGS, settings_digest=SETTINGS.digest())


@pytest.fixture
def folder(tmp_path) -> Folder:
    """Three photos, one of them in a tar, and a rejected one."""
    made = Folder(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        made.add(name, b"scan of " + name.encode(), b"colour of " + name.encode(), [])
        one = made.records[-1]
        page = {"name": name, "width": 1, "height": 1, "tone": "grayscale", "colourfulness": 1.0}
        data = (made.output / name).read_bytes()
        outputs = tuple(Output(page=number, bytes=len(data), sha256=sha256(data), **page) for number in (1, 2))
        made.records[-1] = replace(one, outputs=outputs)
    made.record("broken.jpg", b"", status="rejected", reason="unreadable")
    made.write()
    run_list.begin(str(made.output), RECIPE)
    return made


def verdicts(folder: Folder, *, sources: bool = True) -> dict[str, str]:
    ledger = Ledger.of(str(folder.output))
    found = [check for one in ledger.records() for check in checks.of_record(one, ledger.folder, sources=sources)]
    assert len({(check.kind, check.name) for check in found}) == len(found)
    return {f"{check.kind} {check.name}": check.verdict for check in found}


def test_a_folder_that_nobody_touched_is_the_same(folder):
    assert verdicts(folder) == dict.fromkeys(["file a.jpg", "source a.jpg", "file b.jpg", "source b.jpg"], "same")
    assert verdicts(folder, sources=False) == {"file a.jpg": "same", "file b.jpg": "same"}


def test_a_file_that_lost_its_signature_is_known(folder):
    [output, _] = folder.records[0].outputs
    unsigned = replace(output, unsigned_sha256=sha256(b"colour"))
    folder.records[0] = replace(folder.records[0], outputs=(unsigned,))
    folder.write()
    assert verdicts(folder, sources=False) == {"file a.jpg": "same", "file b.jpg": "same"}
    (folder.output / "a.jpg").write_bytes(b"colour")
    assert verdicts(folder, sources=False) == {"file a.jpg": "unsigned", "file b.jpg": "same"}


def test_one_changed_byte_and_one_lost_file_are_found(folder):
    path = folder.output / "a.jpg"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    (folder.output / "b.jpg").unlink()
    (folder.sources / "a.jpg").unlink()
    (folder.sources / "b.jpg").write_bytes(b"scan of c.jpg")
    assert verdicts(folder) == {
        "file a.jpg": "changed",
        "source a.jpg": "missing",
        "file b.jpg": "missing",
        "source b.jpg": "changed",
    }


def test_a_source_in_a_tar_is_read_from_its_place(folder, tmp_path):
    (tmp_path / "box.tar").write_bytes(b"x" * 512 + b"scan" + b"y" * 512)
    named = replace(folder.records[0], uri=str(tmp_path / "box.tar"), offset=512, bytes=4, sha256=sha256(b"scan"))
    *_, check = checks.of_record(named, str(folder.output), sources=True)
    assert (check.kind, check.verdict) == ("source", "same")


def test_settings_are_hashed_by_the_recipe_of_their_time(folder):
    ledger = Ledger.of(str(folder.output))
    assert [str(one) for one in checks.of_runs(ledger)] == ["settings of run 1 same"]
    before = provenance.digests_of(RECIPE.made_with()["settings"])[2]
    runs = [RECIPE.made_with() | {"settings_digest": before}, RECIPE.made_with() | {"settings_digest": "0" * 64}]
    (Path(ledger.state) / RUNS_FILE).write_text(json.dumps({"runs": runs}))
    assert [one.verdict for one in checks.of_runs(ledger)] == ["same", "changed"]


def test_another_model_is_found(folder):
    ledger = Ledger.of(str(folder.output))
    *_, check = checks.of_runs(ledger, saved_model.RELEASED)
    assert (check.kind, check.verdict, check.recorded) == ("model", "changed", "ab" * 32)
    (Path(ledger.state) / RUNS_FILE).unlink()
    with pytest.raises(UserError, match="does not say which model"):
        list(checks.of_runs(ledger, saved_model.RELEASED))


def test_damaged_records_differ_and_lines_are_json():
    check = checks.of_damage(Damage("manifest/photos-00000-of-00001.jsonl", "is damaged"), "/colour")
    assert str(check) == "records manifest/photos-00000-of-00001.jsonl is damaged"
    assert json.loads(check.to_json())["kind"] == "records"
