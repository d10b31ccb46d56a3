import json
from dataclasses import replace

import pytest
from begun_runs import FIRST, SECOND, begun

from pipelines.archive import run_list
from pipelines.archive.manifest import RUNS_FILE
from tfrecords.errors import UserError


def test_a_run_that_goes_on_keeps_its_number(tmp_path):
    assert begun(tmp_path, FIRST, FIRST, SECOND, SECOND, FIRST) == [1, 1, 2, 2, 3]
    assert [run["model_digest"] for run in run_list.known(str(tmp_path))] == [
        recipe.model_digest for recipe in (FIRST, SECOND, FIRST)
    ]


def test_a_job_that_is_started_again_begins_once(tmp_path):
    begun(tmp_path, FIRST)
    before = (tmp_path / RUNS_FILE).read_bytes()
    for _ in range(3):
        run_list.begin(str(tmp_path), replace(SECOND, run=2))
    assert len(run_list.known(str(tmp_path))) == 2
    assert (tmp_path / RUNS_FILE).read_bytes() != before


def test_a_job_that_waited_while_another_run_began_is_launched_again(tmp_path):
    waiting = replace(FIRST, run=run_list.number(str(tmp_path), FIRST))
    begun(tmp_path, SECOND)
    with pytest.raises(UserError, match=r"another run wrote into .* since this one was launched"):
        run_list.begin(str(tmp_path), waiting)
    assert len(run_list.known(str(tmp_path))) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"runs": 3}', b'{"runs": [3]}', b"\xff"])
def test_a_damaged_list_of_runs_is_not_taken_for_none(tmp_path, data):
    (tmp_path / "manifest").mkdir()
    (tmp_path / RUNS_FILE).write_bytes(data)
    with pytest.raises(UserError, match=r"runs\.json is damaged; delete it") as raised:
        run_list.number(str(tmp_path), FIRST)
    assert "\n" not in str(raised.value)
    assert (tmp_path / RUNS_FILE).read_bytes() == data


def test_records_in_the_output_are_copied_before_they_are_kept_elsewhere(tmp_path):
    output, state = str(tmp_path / "output"), str(tmp_path / "state")
    run_list.check_state(output, state)
    begun(tmp_path / "output", FIRST)
    with pytest.raises(UserError, match="copy its folder manifest to"):
        run_list.check_state(output, state)
    begun(tmp_path / "state", FIRST)
    run_list.check_state(output, state)
    assert json.loads((tmp_path / "state" / RUNS_FILE).read_text()) == {"runs": [FIRST.made_with()]}
