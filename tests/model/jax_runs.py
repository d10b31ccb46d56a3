"""Runs of the training loop on JAX in one process: `python jax_runs.py PACKS FOLDER` prints what they came to.

With a third word, `killed`, it is one run that tells each step that it has made, and at its end how far it is from the
undisturbed one of the other runs.

Backends of Keras cannot be mixed in a process, and the tests' own has TensorFlow.
"""

import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
import tiny

from model import augment, bins, draws, jax_learner, jax_loop, jax_pictures, networks, precision
from model.config import Config, mini, unet
from tfrecords.errors import UserError

# All that a run's state can hold, and every use of random numbers.
SETTINGS = ["optimizer=adamw", "weight_decay=0.01", "warmup_steps=2", "schedule=cosine", "clip_norm=1", "film=0.5"]
SETTINGS += ["averaging=0.9", "crop=0.8", "resolution=24", "epochs=4", "validate_every=2", "mounts=0.5"]
CONFIG = tiny.CONFIG.override(SETTINGS)


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
        config = dataclasses.replace(CONFIG, learning_rate=1e38, warmup_steps=0, film=0.0, mounts=0.0)
        finished(loop(packs, output, config))
    except UserError as error:
        return str(error)
    return ""


def in_time(packs: str, output: Path) -> dict[str, Any]:
    """A run with a time limit of 60 s, by a clock that shows 1 s more each time."""
    ticks = iter(range(10**6))
    config = dataclasses.replace(CONFIG, epochs=1000, warmup_steps=0, validate_every=4, film=0.0, mounts=0.0)
    made = finished(loop(packs, output, config, minutes=1, clock=lambda: float(next(ticks))))
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return {"done": made.done, "seconds": made.figures.seconds, "rates": [line["learning_rate"] for line in lines]}


def classifier(config: Config) -> keras.Model:
    """A small network that classifies."""
    luminance = keras.Input((config.resolution, config.resolution, 1))
    features = keras.layers.Conv2D(8, 4, 4, activation="relu")(luminance)
    return keras.Model(luminance, keras.layers.Conv2D(len(bins.centres()), 1, name="chroma")(features))


def classes(packs: str, output: Path) -> float:
    """The loss of a network that classifies, after two steps in bfloat16."""
    config = dataclasses.replace(mini(unet()), network="classifier", epochs=1, precision="bfloat16")
    made = finished(loop(packs, output, config))
    return float(made.last["loss"])


def scaled() -> dict[str, Any]:
    """Two steps in float16, the second with a scale of the loss at which all gradients are infinite."""
    config = dataclasses.replace(mini(unet()), network="classifier", precision="float16")
    learner = jax_learner.Learner(config, None, 9, "", jax.local_devices()[:1])
    pictures = np.random.default_rng(0).integers(0, 256, (4, 40, 40, 3), np.uint8)
    batch = augment.examples(config, pictures, draws.halves(np.arange(4)))
    step = jax.jit(learner.step)
    first, loss, is_sound = step(learner.state, batch, np.float32(0))
    second, _, is_still = step(first._replace(scaling=[np.float32(2.0**120), np.int32(7)]), batch, np.float32(0))
    kept = zip(jax.tree.leaves(first._replace(scaling=[])), jax.tree.leaves(second._replace(scaling=[])), strict=True)
    return {
        "loss": float(loss),
        "sound": [bool(is_sound), bool(is_still)],
        "types": sorted({str(weight.dtype) for weight in first.trainable}),
        "scale": [float(first.scaling[0]) / precision.FIRST_SCALE, int(first.scaling[1])],
        "skipped": all(np.array_equal(one, other) for one, other in kept),
        "halved": [float(second.scaling[0]) / 2.0**120, int(second.scaling[1])],
    }


def killed(packs: str, folder: Path) -> None:
    """Go on with a run that is killed now and then: it saves after some of its steps."""
    ticks = iter(range(10**6))
    jax_loop.REPORT_SECONDS = 0.0
    made = loop(packs, folder / "killed", clock=lambda: float(next(ticks)))
    print(json.dumps([made.figures.step]), flush=True)
    for report in made.run(checkpoint_minutes=0.2):
        print(json.dumps([report.step]), flush=True)
        time.sleep(0.2)
    print(json.dumps([made.figures.step, apart(made, loop(packs, folder / "whole"))]))


def main(packs: str, folder: Path) -> None:
    """Print all of it."""
    whole = finished(loop(packs, folder / "whole"))
    found: dict[str, Any] = {
        "steps": whole.figures.step,
        "interrupted": apart(whole, interrupted(packs, folder / "interrupted")),
        "one device": apart(whole, finished(loop(packs, folder / "one", devices=1))),
        "streamed": apart(whole, streamed(packs, folder / "streamed")),
        "diverging": diverging(packs, folder / "diverging"),
        "in time": in_time(packs, folder / "time"),
    }
    run, found["torn"] = torn(packs, folder / "torn")
    found["after torn"] = apart(whole, run)
    found["again"] = len(list(loop(packs, folder / "whole").run(0)))
    found |= {"classes": classes(packs, folder / "classes"), "scaled": scaled()}
    print(json.dumps(found))


if __name__ == "__main__":
    networks.NETWORKS["classifier"] = classifier
    # Most runs are of the same programs.
    jax.config.update("jax_compilation_cache_dir", f"{sys.argv[2]}/compiled")
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    (killed if sys.argv[3:] else main)(sys.argv[1], Path(sys.argv[2]))
