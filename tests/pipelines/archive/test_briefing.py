import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from colorized_folder import Folder
from one_task import RECIPE
from rich.console import Console

from pipelines.archive import briefing, provenance
from pipelines.archive.finish import Effort
from pipelines.archive.manifest import LAST_RUN_FILE, REPORT_FILE, Output
from pipelines.archive.resume import Policy

OTHERS = replace(RECIPE, model="film", model_digest="m0")
POLICY = Policy(recipe=RECIPE)


@pytest.fixture
def folder(tmp_path) -> Folder:
    """Two photos, one of two pages, made with another model; one that this model made; one that was changed."""
    made = Folder(tmp_path)
    output = Output(
        name="a.jpg", page=1, width=60, height=40, bytes=500, sha256="9f", tone="grayscale", colourfulness=31.2
    )
    for name, digest, changed in (("a.jpg", "m0", ""), ("b.jpg", "m0", ""), ("c.jpg", "m1", ""), ("d.jpg", "m0", "8e")):
        pages = [replace(output, name=name, page=page, made_sha256=changed) for page in (1, 2)]
        made.record(name, outputs=tuple(pages), model_digest=digest, settings_digest=RECIPE.settings_digest)
    made.write()
    return made


def warned(folder: Folder, *runs: provenance.Recipe, policy: Policy = POLICY, limit: int = 0) -> str:
    path = folder.output / "manifest" / "runs.json"
    path.write_text(json.dumps({"runs": [run.made_with() for run in runs]}))
    return briefing.before(str(folder.output), str(folder.output), policy, limit)


def test_files_of_another_model_are_counted_once_each_before_they_go(folder):
    line = warned(folder, OTHERS)
    assert line.startswith(f"{folder.output}: up to 2 files of earlier runs with another model or other settings")
    assert "--keep_existing" in line
    assert " 1 file of" in warned(folder, OTHERS, limit=1)


def test_files_that_somebody_changed_count_only_where_they_are_to_go(folder):
    assert " 3 files of" in warned(folder, OTHERS, policy=replace(POLICY, replace_changed=True))


def test_nothing_is_said_where_nothing_goes(folder, tmp_path):
    assert warned(folder, RECIPE) == ""
    assert warned(folder, OTHERS, policy=replace(POLICY, keep_existing=True)) == ""
    assert briefing.before(str(tmp_path / "new"), str(tmp_path / "new"), POLICY) == ""


def closing(output: Path, state: Path, last: Effort, **report: object) -> str:
    for name, content in ((REPORT_FILE, {"outcomes": {"written": 3}, **report}), (LAST_RUN_FILE, last.to_dict())):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(json.dumps(content))
    buffer = io.StringIO()
    briefing.after("scans", str(output), str(state), Console(file=buffer, width=200))
    return buffer.getvalue()


def table(said: str) -> dict[str, str]:
    """The rows of the table of work."""
    parts = (line.split("│") for line in said.splitlines() if line.count("│") == 1)
    return {name.strip(): number.strip() for name, number in parts}


def test_the_end_tells_what_was_done_and_what_is_next(tmp_path):
    said = closing(tmp_path, tmp_path, Effort(made=3, left_out=1, found=2, replaced=4))
    rows = table(said)
    assert (rows["made"], rows["left out"], rows["found done"], rows["files replaced"]) == ("2", "1", "2", "4")
    assert "files removed" not in rows
    assert said.splitlines()[-1] == f"next: autochrome report {tmp_path}"
    assert "warnings" not in said


def test_warnings_and_kept_photos_are_explained(tmp_path):
    said = closing(tmp_path, tmp_path, Effort(made=1, found=3, kept=2), warnings={"changed_since": 2, "icc": 1})
    assert "--replace_changed replaces them" in said
    assert "photos with warnings: changed_since 2, icc 1" in said
    rows = table(said)
    assert (rows["found done"], rows["kept"]) == ("1", "2")


def test_a_state_folder_of_its_own_is_part_of_the_next_command(tmp_path):
    said = closing(tmp_path / "my colour", tmp_path / "state", Effort(made=1))
    assert said.splitlines()[-1] == f"next: autochrome report '{tmp_path}/my colour' --state {tmp_path}/state"


def test_the_list_of_rejected_photos_is_named_where_it_is(tmp_path):
    few, many = {"unreadable": 100_000, "written": 5, "skipped": 10**6}, {"unreadable": 99_999, "missing": 2}
    assert "why: colour/rejected.jsonl" in closing(tmp_path, tmp_path, Effort(), outcomes=few).replace(
        str(tmp_path), "colour"
    )
    assert "why: colour/manifest/rejected-*.jsonl" in closing(tmp_path, tmp_path, Effort(), outcomes=many).replace(
        str(tmp_path), "colour"
    )
