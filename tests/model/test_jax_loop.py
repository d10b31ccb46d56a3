import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax_process
import pytest

from model import packs

RUNS = Path(__file__).with_name("jax_runs.py")


@pytest.fixture(scope="module")
def runs(packed, tmp_path_factory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("runs")
    done = jax_process.run(RUNS, packed, folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), folder


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_that_was_interrupted_ends_with_the_same_weights(runs):
    found, folder = runs
    assert found["steps"] == 9
    assert found["interrupted"] == 0
    both = [lines(folder / name) for name in ("whole", "interrupted")]
    assert both[0][-1]["validation_loss"] == both[1][-1]["validation_loss"]


def test_a_run_that_is_killed_goes_on_to_the_same_weights(runs, packed):
    """SIGKILL between two checkpoints, twice: the steps since the last one are made again."""
    command = [sys.executable, str(RUNS), packed, str(runs[1]), "killed"]
    begun = []
    for last in (4, 5):
        with subprocess.Popen(command, env=jax_process.environment(), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            steps = (json.loads(line)[0] for line in process.stdout)
            begun.append(next(steps))
            assert next(step for step in steps if step >= last) == last
            process.kill()
    done = jax_process.run(*command[1:])
    assert done.returncode == 0, done.stderr
    first, *_, last = map(json.loads, done.stdout.splitlines())
    begun += first
    assert begun[0] == 0
    assert 0 < begun[1] <= begun[2] < 5
    assert last == [9, 0.0]


def test_a_torn_checkpoint_is_named_and_the_one_before_taken(runs):
    found, _ = runs
    [named] = found["torn"]
    assert named.endswith(".npz")
    assert found["after torn"] == 0


def test_two_devices_make_the_steps_of_one(runs):
    assert runs[0]["one device"] < 1e-4


def test_pictures_that_do_not_fit_into_memory_are_streamed(runs):
    assert runs[0]["streamed"] == 0


def test_a_step_that_is_not_finite_names_its_pictures(runs):
    said = runs[0]["diverging"]
    assert re.match(
        r"the (weights are not finite|loss is nan) at step [12], on pictures train-00000-of-00001\.pack \d", said
    )
    assert said.endswith("start again with a lower learning_rate or another seed, in another --output")


def test_a_time_limit_ends_the_run_and_the_schedule_follows_it(runs):
    found = runs[0]["in time"]
    assert found["done"]
    assert 45 <= found["seconds"] <= 65
    rates = found["rates"]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.3 * rates[0]


def test_a_run_that_is_complete_makes_no_further_step(runs):
    assert runs[0]["again"] == 0


def test_a_network_that_classifies_learns_in_bfloat16(runs):
    assert math.isfinite(runs[0]["classes"])
    assert runs[0]["classes"] < 10


def test_a_step_in_float16_is_skipped_on_an_overflow_and_the_scale_halved(runs):
    found = runs[0]["scaled"]
    assert math.isfinite(found["loss"])
    assert (found["sound"], found["types"]) == ([True, True], ["float32"])
    assert (found["scale"], found["halved"]) == ([1, 1], [0.5, 0])
    assert found["skipped"]


def test_validations_come_after_a_fixed_number_of_steps(runs):
    found = lines(runs[1] / "whole")
    assert [line["step"] for line in found if "validation_loss" in line] == [2, 4, 6, 8, 9]


def test_the_packs_have_what_the_records_had(packed):
    contents = packs.describe(packed)
    assert (contents.count("train"), contents.count("validation")) == (9, 3)
