import dataclasses
import re
import sys

import pytest

from model import progress
from model.progress import Report, fraction, line

REPORT = Report(
    step=30, steps=120, epoch=1.5, epochs=6, loss=0.25, images_per_s=12.34, seconds=100.0, limit_s=None,
    validation_loss=None, resumed=False,
)  # fmt: skip


def changed(**fields: object) -> Report:
    return dataclasses.replace(REPORT, **fields)


def test_a_line_tells_how_far_training_is_and_what_is_left():
    assert line(REPORT) == "epoch 1.50/6  step 30/120  loss 0.25000  12.3 images/s  0:05:00 left"
    assert "validation 0.12500" in line(changed(validation_loss=0.125))
    assert line(changed(seconds=36_000.0)).endswith("30:00:00 left")


def test_the_first_line_of_a_run_that_goes_on_says_so():
    said = line(changed(loss=None, images_per_s=None, resumed=True, torn=("run/ckpt-30",)))
    assert said.endswith("resumed  run/ckpt-30 is torn, the checkpoint before it was used  0:05:00 left")
    assert "resumed" not in line(changed(resumed=True))


def test_the_first_step_whose_time_is_mostly_compilation_says_nothing_of_speed():
    assert line(changed(step=1)) == "epoch 1.50/6  step 1/120  loss 0.25000"
    assert line(changed(step=1, limit_s=400.0)).endswith("loss 0.25000  0:05:00 left")


def test_nothing_is_left_before_the_first_step_and_after_the_last():
    assert "left" not in line(changed(step=0))
    assert "left" not in line(changed(step=120))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 0.25),
        ({"limit_s": 200.0}, 0.5),
        ({"limit_s": 1000.0}, 0.25),
        ({"limit_s": 50.0}, 1.0),
        ({"step": 120}, 1.0),
    ],
)
def test_steps_or_the_time_limit_end_training_whichever_comes_first(fields, expected):
    assert fraction(changed(**fields)) == expected


def test_without_a_terminal_every_report_is_a_line_on_stderr(capsys):
    with progress.shown() as show:
        show(REPORT)
        show(changed(step=60))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [line(REPORT), line(changed(step=60))]


def test_on_a_terminal_there_is_one_bar_and_validations_stay(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    with progress.shown() as show:
        show(REPORT)
        show(changed(validation_loss=0.125))
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "epoch 1.50  validation loss 0.12500\n" in said


def test_evaluation_says_how_far_it_is_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    with progress.counted("scoring", 1000) as show:
        show(250)
        show(1000)
    first, last = capsys.readouterr().err.splitlines()[-2:]
    assert re.fullmatch(r".*scoring 250/1,000  [\d.,]+ images/s  0:00:00 left", first)
    assert re.fullmatch(r".*scoring 1,000/1,000  [\d.,]+ images/s", last)
