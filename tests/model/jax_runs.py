"""Runs of the training loop on JAX in one process: `python jax_runs.py PACKS FOLDER` prints what they came to.

Backends of Keras cannot be mixed in a process, and the tests' own has TensorFlow.
"""

import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np

from model import jax_learner, jax_loop, jax_pictures
from model.config import Config, autoencoder, mini, unet
from tfrecords.errors import UserError

# All that a run's state can hold, and every use of random numbers.
SETTINGS = ["optimizer=adamw", "weight_decay=0.01", "warmup_steps=2", "schedule=cosine", "clip_norm=1", "film=0.5"]
SETTINGS += ["averaging=0.9", "crop=0.8", "resolution=24", "epochs=4", "validate_every=2", "mounts=0.5"]
CONFIG = mini(autoencoder()).override(SETTINGS)


def loop(
    packs: str,
    output: Path,
    config: Config = CONFIG,
    devices: int = 2,
    stop: Callable[[], bool] = lambda: False,
    minutes: float | None = None,
    clock: Callable[[], float] | None = None,
) -> jax_loop.Loop:
    """A run that goes on with what is in `output`."""
    contents = jax_pictures.describe(packs, config)
    steps = math.ceil(config.epochs * contents.count("train") / config.batch_size)
    histogram = contents.statistics.get("train", {}).get("chroma")
    learner = jax_learner.Learner(config, histogram, steps, "", jax.local_devices()[:devices])
    timed: dict[str, Any] = {"clock": clock} if clock else {}
    return jax_loop.Loop(config, packs, contents, learner, str(output), steps, minutes, stop, **timed)


def finished(made: jax_loop.Loop) -> jax_loop.Loop:
    """The same run, at its end or where it was told to stop."""
    for _ in made.run(checkpoint_minutes=0):
        pass
    return made


def apart(one: jax_loop.Loop, other: jax_loop.Loop) -> float:
    """The largest difference of two runs' weights."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one.best, other.best, strict=True))


def after(calls: int) -> Callable[[], bool]:
    """What says to stop when it was asked some times."""
    asked = iter(range(calls))
    return lambda: next(asked, None) is None


def interrupted(packs: str, output: Path) -> jax_loop.Loop:
    """A run that is told to stop again and again, and goes on each time."""
    for _ in range(20):
        made = finished(loop(packs, output, stop=after(8)))
        if made.done:
            return made
    raise AssertionError("it does not end")


def torn(packs: str, output: Path) -> tuple[jax_loop.Loop, list[str]]:
    """A run that finds its last checkpoint cut short."""
    finished(loop(packs, output, stop=after(8)))
    *_, last = sorted((output / "checkpoints").iterdir(), key=lambda path: int(path.stem.removeprefix("ckpt-")))
    last.write_bytes(last.read_bytes()[:-100])
    again = loop(packs, output)
    found = [*again.report().torn]
    return finished(again), found


def streamed(packs: str, output: Path) -> jax_loop.Loop:
    """A run whose pictures do not fit into memory."""
    jax_pictures.HOST_BYTES = 0
    try:
        return finished(loop(packs, output))
    finally:
        jax_pictures.HOST_BYTES = 2**30


def diverging(packs: str, output: Path) -> str:
    """What is said about a step after which the weights are not finite."""
    try:
        finished(loop(packs, output, dataclasses.replace(CONFIG, learning_rate=1e38, warmup_steps=0)))
    except UserError as error:
        return str(error)
    return ""


def in_time(packs: str, output: Path) -> dict[str, Any]:
    """A run with a time limit of 60 s, by a clock that shows 1 s more each time."""
    ticks = iter(range(10**6))
    config = dataclasses.replace(CONFIG, epochs=1000, warmup_steps=0, validate_every=4)
    made = finished(loop(packs, output, config, minutes=1, clock=lambda: float(next(ticks))))
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return {"done": made.done, "seconds": made.figures.seconds, "rates": [line["learning_rate"] for line in lines]}


def classes(packs: str, output: Path) -> float:
    """The loss of a network that classifies, after two steps in bfloat16."""
    jax_learner.use("bfloat16")
    made = finished(loop(packs, output, dataclasses.replace(mini(unet()), epochs=1, film=0.5)))
    return float(made.last["loss"])


def main(packs: str, folder: Path) -> None:
    """Print all of it."""
    # Most runs are of the same programs.
    jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    whole = finished(loop(packs, folder / "whole"))
    found: dict[str, Any] = {
        "steps": whole.figures.step,
        "interrupted": apart(whole, interrupted(packs, folder / "interrupted")),
        "one device": apart(whole, finished(loop(packs, folder / "one", devices=1))),
        "streamed": apart(whole, streamed(packs, folder / "streamed")),
        "other seed": apart(whole, finished(loop(packs, folder / "seed", dataclasses.replace(CONFIG, seed=1)))),
        "diverging": diverging(packs, folder / "diverging"),
        "in time": in_time(packs, folder / "time"),
    }
    run, found["torn"] = torn(packs, folder / "torn")
    found["after torn"] = apart(whole, run)
    found["again"] = len(list(loop(packs, folder / "whole").run(0)))
    found["classes"] = classes(packs, folder / "classes")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
