"""The same job is the same job on every runner: identical files, identical counts."""

import json

import pytest
from engines import REFERENCE


@pytest.mark.parametrize("job", ["prepare", "colorize", "guided"])
def test_every_runner_makes_the_same_files_and_counts(engine, job, run, reference):
    made, expected = run(engine, job), reference(job)
    assert made.outcomes == expected.outcomes
    assert made.files == expected.files


def test_every_photo_has_its_outcome(reference, golden_tree):
    for job in ("prepare", "colorize"):
        made = reference(job)
        assert made.photos == 67
        assert made.outcomes["unreadable"] == 3
    assert reference("prepare").outcomes["duplicate"] == 1
    assert len(reference("colorize").files) == reference("colorize").outcomes["written"] == 64


def test_the_guided_job_is_guided(run, reference, golden_guided):
    made = reference("guided")
    assert made.outcomes["written"] == len(made.files) == len(list((golden_guided / "photos").rglob("*.jpg")))
    records = (run.output(REFERENCE, "guided") / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    kinds = [kind for record in records for kind in json.loads(record)["guided"]]
    assert set(kinds) == {"hints", "palette", "reference", "saturation"}
