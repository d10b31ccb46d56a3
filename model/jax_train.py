"""The command `python -m model.jax_train`: packs in, trained weights out, on JAX and without TensorFlow.

It takes the configurations of `autochrome train` and makes the same steps (`model.jax_learner`). The files in OUTPUT
are those of `model.trainer`, except that checkpoints are NumPy's and that ``weights.npz`` takes the place of the
SavedModel: `autochrome export` makes one of it, and `autochrome train --init` starts from it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from model import commands, config_checks, initial, preemption, progress, references, run_config, run_lock, weights
from model import config as configs
from model.terminal import say
from tfrecords.errors import UserError
from tfrecords.uris import is_remote
from tfrecords.words import counted

BACKEND = "jax"
COMPILED = "compiled"
"""Folder in OUTPUT for compiled programs, with which a run continues in seconds."""
CHECKPOINT_MINUTES = 5.0
MOST_SEED = 42_949_671
"""Seeds of layers are multiples of it, and JAX's have 32 bits."""
NEEDED = {"jax": "jax", "keras": "keras", "cv2": "opencv-python-headless", "PIL": "pillow"}
"""Modules that training needs, and the packages that bring them."""


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "train",
        "--data DIR --output DIR [flags]",
        "Train a model with JAX on the packs of `autochrome pack`, without TensorFlow.\n"
        "Run the same command again after a stop: it continues.",
        "python -m model.jax_train --data packs --output run --config unet",
    )
    flags.prog = "python -m model.jax_train"
    files = flags.add_argument_group()
    files.add_argument("--data", required=True, metavar="DIR", help="output folder of `pack`")
    files.add_argument("--output", required=True, metavar="DIR", help=f"for checkpoints, metrics, {weights.FILE}")
    start = f"start from this {weights.FILE}, saved_model, or `released`"
    files.add_argument("--init", default="", metavar="PATH", help=start)
    training = flags.add_argument_group("training")
    training.add_argument("--config", required=True, metavar="NAME", help="as for `autochrome train`")
    training.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set any field of it")
    training.add_argument(
        "--epochs", type=commands.whole(1), metavar="N", help="passes over the data (default: the config's)"
    )
    training.add_argument(
        "--max_minutes",
        type=commands.number("more than 0", lambda minutes: minutes > 0),
        metavar="M",
        help="stop after M minutes of training and validation (default: no limit)",
    )
    training.add_argument(
        "--precision",
        type=commands.one_of(*config_checks.PRECISIONS),
        metavar="P",
        help="float32, or bfloat16 or float16, which GPUs compute faster\n(default: the config's)",
    )
    commands.add_help(training)
    return flags


def use_jax() -> None:
    """Choose Keras' backend.

    Raises:
        UserError: the environment chooses another one, or a package is missing.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", BACKEND)
    if chosen != BACKEND:
        raise UserError(f"KERAS_BACKEND is {chosen}; set KERAS_BACKEND={BACKEND}, or train with `autochrome train`")
    if missing := [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]:
        what = "'jax[cuda12]'" if missing[0] == "jax" else missing[0]
        raise UserError(f"{missing[0]} is missing; pip install {' '.join([what, *missing[1:]])}")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        UserError: something that the user can correct, before training starts.
    """
    args = parser().parse_args(argv)
    use_jax()
    for flag in ("data", "output", "init"):
        if is_remote(getattr(args, flag)):
            raise UserError(f"--{flag} {getattr(args, flag)} must be on this machine; copy it here")
    if references.is_one(args.config):
        import keras  # noqa: F401  # as the user's module does
    config = configs.by_name(args.config).override(args.set)
    if args.epochs:
        config = dataclasses.replace(config, epochs=args.epochs)
    if args.precision:
        config = dataclasses.replace(config, precision=args.precision)
    if config.seed > MOST_SEED:
        raise UserError(f"seed must be from 0 to {MOST_SEED} on JAX, not {config.seed}")
    with run_lock.held(args.output), preemption.watched() as stop, progress.shown() as show:
        result = _train(config, args, show, stop)
    if result is None:
        say("autochrome: stopped and saved; the same command continues", file=sys.stderr)
        return stop.exit_code
    path, training = result
    scores = [counted(training["steps"], "step"), f"{training['epochs']:.2f} epochs", f"{training['seconds']:.0f} s"]
    for name, value in (("loss", training["loss"]), ("validation loss", training["validation_loss"])):
        if value is not None:
            scores.append(f"{name} {value:.5f}")
    say(f"{path}  {', '.join(scores)}")
    say(f"next: autochrome export --weights {shlex.quote(path)} --data records --output model")
    return 0


def _train(config: configs.Config, args: Any, show: Any, stop: Any) -> tuple[str, dict[str, Any]] | None:
    """Train; return the path of the weights and the figures, or None if a signal ended the run."""
    import jax

    jax.config.update("jax_compilation_cache_dir", os.environ.get("JAX_COMPILATION_CACHE_DIR") or _compiled(args))
    from model import jax_learner, jax_loop, jax_pictures

    devices = jax.local_devices()
    if config.batch_size % len(devices):
        raise UserError(
            f"batch_size {config.batch_size} cannot be divided among {len(devices)} devices; choose a multiple"
        )
    contents = jax_pictures.describe(args.data, config)
    init = initial.digest(args.init) if args.init else ""
    steps = math.ceil(config.epochs * contents.count("train") / config.batch_size)
    histogram = contents.statistics.get("train", {}).get("chroma")
    learner = jax_learner.Learner(config, histogram, steps, args.init, devices)
    run_config.claim(args.output, config, contents, init=init)
    loop = jax_loop.Loop(config, args.data, contents, learner, args.output, steps, args.max_minutes, stop)
    show(loop.report())
    for report in loop.run(CHECKPOINT_MINUTES):
        show(report)
    if not loop.done:
        return None
    path, training = str(Path(args.output) / weights.FILE), jax_loop.figures(loop)
    training |= {"precision": config.precision, "jax": jax.__version__, "device": devices[0].device_kind}
    data = {
        "fingerprint": contents.fingerprint,
        "source": contents.source["fingerprint"],
        "size": contents.size,
        "examples": {split: contents.count(split) for split in sorted(contents.splits)},
    }
    weights.write(path, weights.Weights(config=config, arrays=loop.best, data=data, training=training))
    return path, training


def _compiled(args: Any) -> str:
    return str(Path(args.output).absolute() / COMPILED)


if __name__ == "__main__":
    sys.exit(commands.run(main))
