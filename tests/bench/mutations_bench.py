"""Faults put into the trainer on purpose, one at a time: which of them its tests catch.

    python tests/bench/mutations_bench.py [--only=TITLE …]

Each fault is one changed line in a copy of the package. The tests that should fail run on the copy, and first of all on
an unchanged one, where they have to pass. Faults that survive are named, and give exit code 1. All of them take about
six minutes of processor time.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parents[2]
COPIED = ("model", "pipelines", "tfrecords", "tests")


class Fault(NamedTuple):
    """A line of a module of `model`, what becomes of it, and the tests that notice."""

    title: str
    module: str
    line: str
    changed: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "one grain for all examples",
        "augment",
        "drawn, noise(GRAIN, side), config.film",
        "drawn, noise(GRAIN, side)[:1], config.film",
        ("test_augment::test_every_example_has_a_grain_of_its_own",),
    ),
    Fault(
        "film uses the numbers of the crop again",
        "augment",
        "uniform(EXPOSING, film.DRAWS)",
        "uniform(PLACING, film.DRAWS)",
        ("test_augment::test_what_is_made_of_an_example_uses_no_numbers_twice",),
    ),
    Fault(
        "validation without the limit of 2,048",
        "inputs",
        'return min(VALIDATION_EXAMPLES, description.count("validation"))',
        'return description.count("validation")',
        ("test_inputs::test_validation_sees_the_first_2048_examples_and_no_more",),
    ),
    Fault(
        "Huber's delta ten times as large",
        "losses",
        "HUBER_DELTA = 5 / 128",
        "HUBER_DELTA = 50 / 128",
        ("test_losses::test_absolute_error_and_huber_s_loss",),
    ),
    Fault(
        "a fifth of the exponent that rebalances",
        "losses",
        "bins.weights(histogram, config.rebalance)",
        "bins.weights(histogram, config.rebalance / 5)",
        ("test_losses::test_rare_colors_weigh_as_a_loop_over_the_classes_says",),
    ),
    Fault(
        "a tenth of the uniform distribution in the weights of classes",
        "bins",
        "UNIFORM = 0.5",
        "UNIFORM = 0.1",
        ("test_losses::test_rare_colors_weigh_as_a_loop_over_the_classes_says",),
    ),
    Fault(
        "no smoothing of the histogram",
        "bins",
        "smooth = cv2.GaussianBlur(counts, (0, 0), SIGMA / CHROMA_STEP, borderType=cv2.BORDER_REFLECT)",
        "smooth = counts",
        ("test_losses::test_rare_colors_weigh_as_a_loop_over_the_classes_says",),
    ),
    Fault(
        "linear grain",
        "film",
        "GRAIN * coarse**2 * grain",
        "GRAIN * coarse * grain",
        ("test_film::test_grain_grows_with_the_square_of_its_number",),
    ),
    Fault(
        "another epsilon in published normalisations",
        "pretrained",
        "EPSILON = 1e-3",
        "EPSILON = 1e-5",
        ("test_pretrained::test_the_encoder_answers_a_flat_grey_as_the_published_one",),
    ),
    Fault(
        "published weights see 80 for the grey mean of 127",
        "pretrained",
        "127.0 / 255.0, 128.0 / 255.0",
        "80.0 / 255.0, 128.0 / 255.0",
        ("test_pretrained::test_the_encoder_answers_a_flat_grey_as_the_published_one",),
    ),
    Fault(
        "U-Nets without skips",
        "networks",
        "keras.ops.relu(up + layers.convolution(skip, count, seeds, kernel=1))",
        "keras.ops.relu(up + 0 * layers.convolution(skip, count, seeds, kernel=1))",
        ("test_networks::test_a_skip_carries_detail_past_the_bottom",),
    ),
    Fault(
        "the U-Net with attention without skips",
        "networks",
        "features = up + layers.convolution(skip, count, seeds, kernel=1)",
        "features = up + 0 * layers.convolution(skip, count, seeds, kernel=1)",
        ("test_networks::test_a_skip_carries_detail_past_the_bottom",),
    ),
    Fault(
        "the ceiling at a half for every model",
        "scoreboard",
        "small = cv2.resize(ab, (grid, grid), interpolation=cv2.INTER_AREA)",
        "small = cv2.resize(ab, (side // 2, side // 2), interpolation=cv2.INTER_AREA)",
        ("test_scoreboard::test_each_grid_has_one_ceiling_and_a_finer_one_is_higher",),
    ),
    Fault(
        "validation loss over the filling as well",
        "validation",
        "return float(total) / self.count",
        "return float(total) / (self.batches * self._config.batch_size)",
        ("test_validation::test_the_loss_is_the_mean_over_the_examples_whatever_the_parts",),
    ),
    Fault(
        "the filling weighs 1",
        "inputs",
        "map(lambda lab: (lab, 0.0))",
        "map(lambda lab: (lab, 1.0))",
        (
            "test_inputs::test_validation_gives_every_example_once_and_weighs_the_filling_zero",
            "test_validation::test_the_loss_is_the_mean_over_the_examples_whatever_the_parts",
        ),
    ),
    Fault(
        "clipping that never binds",
        "learner",
        "tf.clip_by_global_norm(gradients, self._config.clip_norm)",
        "tf.clip_by_global_norm(gradients, 1e9 * self._config.clip_norm)",
        ("test_learner::test_a_gradient_is_cut_to_the_longest_that_is_allowed_and_keeps_its_direction",),
    ),
    Fault(
        "a schedule deaf to the time limit",
        "optimizers",
        "keras.ops.maximum(step / self._steps, self._elapsed)",
        "step / self._steps",
        ("test_optimizers::test_a_time_limit_that_is_used_up_ends_the_cosine_before_the_last_step",),
    ),
    Fault(
        "a loop that does not tell the schedule of the time limit",
        "loop",
        "self._learner.elapsed.assign(used)",
        "self._learner.elapsed.assign(0.0)",
        ("test_loop::test_the_time_limit_holds_with_its_last_validation_under_load",),
    ),
    Fault(
        "JAX: clipping that never binds",
        "jax_learner",
        "part = self._config.clip_norm / jnp.maximum(norm, self._config.clip_norm)",
        "part = 1.0",
        ("test_jax_learner::test_twenty_steps_are_those_of_tensorflow[released]",),
    ),
    Fault(
        "JAX: a loop that does not tell the schedule of the time limit",
        "optimizers",
        "(elapsed, used)]",
        "(elapsed, 0 * used)]",
        ("test_jax_learner::test_twenty_steps_are_those_of_tensorflow[released]",),
    ),
)


def copy(folder: Path) -> None:
    """Copy what the tests need; the models that ship as links, because none of them is changed."""
    for name in COPIED:
        shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "released*"))
    for name in ("released", "released_1"):
        (folder / "model" / name).symlink_to(HERE / "model" / name)
    shutil.copy(HERE / "pyproject.toml", folder)


def failed(folder: Path, tests: list[str]) -> str:
    """What pytest says of the tests that fail on the copy in a folder; '' if all of them pass."""
    names = [f"tests/model/{name.replace('::', '.py::', 1)}" for name in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *names]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr)[-3000:]
    if done.returncode not in (0, 1) or " error" in done.stdout.splitlines()[-1]:
        raise SystemExit(f"{' '.join(names)} did not run:\n{said}")
    return said if done.returncode else ""


def main() -> int:
    """Try all faults and print a line for each."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--only", action="append", default=[], help="faults whose title begins so")
    args = flags.parse_args()
    chosen = [fault for fault in FAULTS if not args.only or fault.title.startswith(tuple(args.only))]
    survived = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        copy(folder)
        if said := failed(folder, sorted({test for fault in chosen for test in fault.tests})):
            raise SystemExit(f"without any fault, tests fail:\n{said}")
        for fault in chosen:
            module = folder / "model" / f"{fault.module}.py"
            text = module.read_text()
            if text.count(fault.line) != 1:
                raise SystemExit(f"{fault.title}: model/{fault.module}.py has no longer one line {fault.line}")
            module.write_text(text.replace(fault.line, fault.changed))
            caught = bool(failed(folder, list(fault.tests)))
            module.write_text(text)
            print(f"{'caught' if caught else 'SURVIVED':10}{fault.title}", flush=True)
            survived += [] if caught else [fault.title]
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
