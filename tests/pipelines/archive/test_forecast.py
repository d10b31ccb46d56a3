"""What `--dry_run` says is what the run does."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from one_photo import BETTER, KEEP, PNG, RECIPES, RETOUCHED, SKIP, Desk

from pipelines.archive import dry_run, forecast
from pipelines.archive.forecast import Forecast
from pipelines.archive.resume import Policy


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def look(desk: Desk, policy: Policy) -> Forecast:
    return forecast.of(desk.task(policy), policy, str(desk.folder))


def test_what_was_made_with_other_settings_is_replaced_or_removed(desk):
    assert look(desk, KEEP) == Forecast(action="make")
    desk.run(KEEP)
    assert look(desk, KEEP) == Forecast(action="done before: written")
    assert look(desk, BETTER) == Forecast(action="make", replaces=("a.jpg",))
    assert look(desk, PNG) == Forecast(action="make", removes=("a.jpg",))
    assert look(desk, SKIP) == Forecast(action="make", removes=("a.jpg",))
    assert look(desk, replace(PNG, keep_existing=True)) == Forecast(action="keep")


def test_pages_are_counted(desk):
    desk.pages = 2
    desk.run(KEEP)
    pages = ("a.jpg.p001.jpg", "a.jpg.p002.jpg")
    assert look(desk, BETTER) == Forecast(action="make", replaces=pages)
    assert look(desk, PNG) == Forecast(action="make", removes=pages)


def test_what_somebody_changed_stays(desk):
    desk.run(KEEP)
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    for policy in (KEEP, PNG, SKIP, replace(PNG, keep_existing=True)):
        assert look(desk, policy) == Forecast(action="keep, changed since")
    assert look(desk, replace(KEEP, replace_changed=True)) == Forecast(action="make", replaces=("a.jpg",))
    for _ in range(2):  # the second time the record tells of the change
        assert look(desk, replace(PNG, replace_changed=True)) == Forecast(action="make")
        desk.run(KEEP)
    assert desk.contents() == {"a.jpg": RETOUCHED}


def test_a_file_that_no_record_names_is_in_the_way(desk):
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    assert look(desk, KEEP) == Forecast(action="keep, occupied")
    assert look(desk, PNG) == Forecast(action="make")
    desk.run(KEEP)
    assert look(desk, KEEP) == Forecast(action="keep, occupied")
    assert look(desk, replace(KEEP, replace_changed=True)) == Forecast(action="make", replaces=("a.jpg",))


def test_lines_name_the_photo_and_each_file():
    found = Forecast(action="make", replaces=("a.jpg.p001.png", "a.jpg.p002.png"), removes=("a.jpg",))
    assert dry_run.lines("a.jpg", found) == [
        ("make, replaces a.jpg.p001.png, a.jpg.p002.png", "a.jpg"),
        ("remove a.jpg", "a.jpg"),
    ]
    assert dry_run.sums([found, Forecast(action="make"), Forecast(action="keep, changed since")]) == (
        "3 inputs; keep, changed since: 1, make: 2, files to replace: 2, files to remove: 1"
    )


@settings(max_examples=80)
@example([("keep", "a.jpg.png"), ("png", "a.jpg")], "skip", "")
@given(
    st.lists(st.tuples(st.sampled_from(list(RECIPES)), st.sampled_from(["", "a.jpg", "a.jpg.png"])), max_size=3),
    st.sampled_from(list(RECIPES)),
    st.sampled_from(["", "keep", "replace"]),
)
def test_the_run_does_what_the_dry_run_says(before, last, how):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        for made_with, retouched in before:
            desk.run(Policy(recipe=RECIPES[made_with]))
            if retouched:
                (desk.folder / retouched).write_bytes(RETOUCHED)
        policy = Policy(recipe=RECIPES[last], keep_existing=how == "keep", replace_changed=how == "replace")
        told, there = look(desk, policy), desk.contents()
        record = desk.run(policy)
        now = desk.contents()
        assert set(told.removes) == there.keys() - now.keys()
        changed = {name for name, data in there.items() if now.get(name, data) != data}
        assert changed <= set(told.replaces)
        assert (told.action.startswith("keep")) == (record.status == "kept")
