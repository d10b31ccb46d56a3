"""How far the steps of JAX are from those of TensorFlow, after each step: weights, running means, losses and colours.

    python tests/bench/jax_parity_bench.py --data=RECORDS [--config=released] [--set=NAME=VALUE …] [--steps=20]

Both start from the weights that TensorFlow's trainer starts from, and are given the same batches of photos. For
comparison, TensorFlow makes the steps once more with other kernels (without oneDNN), which only round in other places.
Each runs in a process of its own, as a process has one backend of Keras. Figures are the largest differences of single
numbers: losses as parts of the loss, weights and their running means as they are, and a and b of the photos of the
first batch in Lab units. `moved` is the longest way that a weight has gone from the start. On a CPU, the full network
at 128 px takes about five minutes of processor time.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model import config as configs
from model.config import Config

STEPS_A_RUN = 1000
"""Steps of the run that is begun, for the schedule."""

PARTS = (
    ("begin", "tensorflow", ""),
    ("write", "tensorflow", ""),
    ("compare", "tensorflow", "TensorFlow with other kernels\n"),
    ("compare", "jax", "JAX\n"),
)


class Found(NamedTuple):
    """What there is after a step."""

    loss: float
    weights: list[Any]
    means: list[Any]
    ab: Any


class Steps:
    """The steps of one backend: the loss, the weights, their running means, and ab after each."""

    def __init__(self, config: Config, folder: Path) -> None:
        """Take the start and the batches of a folder."""
        self.config = config
        self.folder = folder
        self.histogram = json.loads((folder / "histogram.json").read_text())
        with np.load(folder / "batches.npz") as stored:
            self.pictures, self.places = stored["pictures"], stored["places"]
        with np.load(folder / "0.npz") as stored:
            self.start = [stored[f"arr_{place}"] for place in range(len(stored.files))]

    def tensorflow(self) -> Iterator[Found]:
        """Make them with TensorFlow."""
        import tensorflow as tf

        from model import losses, networks, strategy
        from model.learner import Learner

        learner = Learner(self.config, strategy.make("one"), losses.make(self.config, self.histogram), STEPS_A_RUN)
        for network in (learner.model, learner.averaged):
            network.set_weights(self.start)
        stream = iter(tf.data.Dataset.from_tensor_slices((self.pictures, self.places)))
        luminance = shown(self.config, self.pictures[0])
        for _ in self.pictures:
            loss, _, is_sound = learner.train(stream, tf.constant(1))
            assert is_sound
            output = learner.model(networks.arguments(learner.model, luminance), training=False)
            ab = np.asarray(decoded(self.config, output))
            yield Found(float(loss), learner.model.get_weights(), learner.averaged.get_weights(), ab)

    def jax(self) -> Iterator[Found]:
        """Make them with JAX."""
        import jax

        from model import augment, jax_learner, networks

        config = self.config
        learner = jax_learner.Learner(config, self.histogram, STEPS_A_RUN, "", jax.local_devices()[:1])
        learner.model.set_weights(self.start)
        trainable = [variable.value for variable in learner.model.trainable_variables]
        others = [variable.value for variable in learner.model.non_trainable_variables]
        averaged = trainable if config.averaging else []
        state = learner.put(learner.state._replace(trainable=trainable, averaged=averaged, others=others))

        def made_of(state: jax_learner.State, pictures: Any, places: Any) -> Any:
            return learner.step(state, augment.examples(config, pictures, places), np.float32(0))

        def colors(state: jax_learner.State, luminance: Any) -> Any:
            given = networks.arguments(learner.model, luminance)
            output, _ = learner.model.stateless_call(state.trainable, state.others, given, training=False)
            return decoded(config, output)

        advance, predict = jax.jit(made_of), jax.jit(colors)
        luminance = shown(config, self.pictures[0])
        for pictures, places in zip(self.pictures, self.places, strict=True):
            state, loss, _ = advance(state, pictures, places)
            ab = np.asarray(predict(state, luminance))
            yield Found(float(loss), learner.weights(state._replace(averaged=[])), learner.weights(state), ab)


def begin(config: Config, data: str, steps: int, folder: Path) -> None:
    """Write the start and the batches of a run."""
    import tensorflow as tf

    from model import inputs, losses, strategy
    from model.learner import Learner

    description = inputs.describe(data, config)
    histogram = description.statistics["train"]["chroma"]
    learner = Learner(config, strategy.make("one"), losses.make(config, histogram), STEPS_A_RUN)
    given = inputs.training(data, config, description, 0)(tf.distribute.InputContext()).take(steps)
    pictures, places = (np.stack(part) for part in zip(*given.as_numpy_iterator(), strict=True))
    np.savez(folder / "batches.npz", pictures=pictures, places=places)
    np.savez(folder / "0.npz", *learner.model.get_weights())
    (folder / "histogram.json").write_text(json.dumps(histogram))


def write(made: Steps, found: Iterator[Found]) -> None:
    """Write what there is after each step."""
    for step, one in enumerate(found, start=1):
        np.savez(made.folder / f"{step}.npz", *one.weights, *one.means, loss=one.loss, ab=one.ab)


def compare(made: Steps, found: Iterator[Found]) -> None:
    """Print how far each step is from the one that was written."""
    print(f"{'step':>4}{'loss':>10}{'of loss':>10}{'weights':>10}{'means':>10}{'ab':>10}{'moved':>10}")
    count = len(made.start)
    for step, one in enumerate(found, start=1):
        with np.load(made.folder / f"{step}.npz") as stored:
            known = [stored[f"arr_{place}"] for place in range(2 * count)]
            loss, ab = float(stored["loss"]), stored["ab"]
        differences = [abs(one.loss / loss - 1), apart(known[:count], one.weights), apart(known[count:], one.means)]
        differences += [apart([ab], [one.ab]), apart(made.start, one.weights)]
        print(f"{step:4}{one.loss:10.5f}" + "".join(f"{each:10.1e}" for each in differences), flush=True)


def shown(config: Config, pictures: Any) -> Any:
    """The luminance of stored pictures, from their middle."""
    edge = (pictures.shape[1] - config.resolution) // 2
    inner = slice(edge, edge + config.resolution)
    return pictures[:, inner, inner, :1].astype(np.float32) / 255


def decoded(config: Config, output: Any) -> Any:
    """a and b of what a network gives."""
    from model import networks

    small = dataclasses.replace(config, size=config.resolution, export_resolution=0)
    return networks.decode(small, output) * 128


def apart(one: list[Any], other: list[Any]) -> float:
    """The largest difference of two lists of arrays."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def main() -> None:
    """Run both, one after the other."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True)
    flags.add_argument("--config", default="released")
    flags.add_argument("--set", action="append", default=[])
    flags.add_argument("--steps", type=int, default=20)
    flags.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    flags.add_argument("--part", help=argparse.SUPPRESS)
    args = flags.parse_args()
    config = configs.by_name(args.config).override(["batch_size=4", "resolution=128", "export_resolution=0", *args.set])
    if args.folder:
        if args.part == "begin":
            begin(config, args.data, args.steps, args.folder)
            return
        made = Steps(config, args.folder)
        if args.part == "write":
            write(made, made.tensorflow())
        else:
            compare(made, made.jax() if os.environ["KERAS_BACKEND"] == "jax" else made.tensorflow())
        return
    with tempfile.TemporaryDirectory() as folder:
        for part, backend, title in PARTS:
            print(title, end="", flush=True)
            environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            environment["TF_ENABLE_ONEDNN_OPTS"] = "0" if title else "1"
            command = [sys.executable, *sys.argv, f"--folder={folder}", f"--part={part}"]
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
