"""The command `autochrome train`: a prepared set in, a trained SavedModel out."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from typing import TYPE_CHECKING

from model import cluster, commands, preemption, progress, quiet, references
from model import config as configs
from model.terminal import say
from tfrecords.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.trainer import Result

DEFAULT = "autoencoder"
"""The configuration that is trained unless another one is named."""


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "train",
        "--data DIR --output DIR [flags]",
        "Train a model on the records of `autochrome prepare`. Run the same command again\n"
        "after a stop: it continues. Paths are local or gs://.",
        "autochrome train --data records --output run --max_minutes 20",
    )
    files = flags.add_argument_group()
    files.add_argument("--data", type=commands.path, required=True, metavar="DIR", help="output folder of `prepare`")
    files.add_argument(
        "--output", type=commands.path, required=True, metavar="DIR", help="for checkpoints, metrics.jsonl, saved_model"
    )
    files.add_argument(
        "--init",
        type=commands.path,
        default="",
        metavar="DIR",
        help="start from this saved_model, weights.npz, or `released`",
    )
    training = flags.add_argument_group("training")
    names = ", ".join(name for name in configs.CONFIGS if not name.endswith("_mini") and name != DEFAULT)
    training.add_argument(
        "--config", default=DEFAULT, metavar="NAME", help=f"{DEFAULT} (default), {names},\nor module:name"
    )
    training.add_argument(
        "--epochs", type=commands.whole(1), metavar="N", help="passes over the data (default: the config's)"
    )
    training.add_argument(
        "--batch_size", type=commands.whole(1), metavar="N", help="of all devices together (default: the config's)"
    )
    training.add_argument(
        "--max_minutes",
        type=commands.number("more than 0", lambda minutes: minutes > 0),
        metavar="M",
        help="stop after M minutes of training and validation (default: no limit)",
    )
    training.add_argument(
        "--seed", type=commands.whole(0), metavar="N", help="of weights and order (default: the config's)"
    )
    training.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="set any field of the config"
    )
    training.add_argument(
        "--strategy", default="auto", metavar="NAME", help="auto, one, mirrored, multiworker, tpu (default: auto)"
    )
    commands.add_help(training)
    return flags


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        tfrecords.errors.UserError: something that the user can correct, before training starts.
    """
    args = parser().parse_args(argv)
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "seed") if getattr(args, name) is not None}
    if args.strategy in ("auto", "multiworker"):
        cluster.from_environment()  # told before TensorFlow is imported
    if references.is_one(args.config):
        with quiet.startup():
            import keras  # noqa: F401  # as the user's module does
    config = dataclasses.replace(configs.by_name(args.config).override(args.set), **given)
    from model import google_cloud

    google_cloud.check_all({"--data": args.data, "--output": args.output, "--init": args.init})
    with quiet.startup():
        from model import losses, networks, strategy, trainer

    devices = strategy.make(args.strategy)
    # Refuses what does not fit together before the output folder is made.
    losses.check(config, networks.build(config))
    with progress.shown() as show, preemption.watched() as stop:
        result = trainer.train(
            config,
            args.data,
            args.output,
            devices,
            init=args.init,
            max_minutes=args.max_minutes,
            on_report=show,
            stop=stop,
        )
    if result.interrupted:
        say(f"autochrome: stopped at step {result.step} and saved; the same command continues", file=sys.stderr)
        return stop.exit_code
    for line in summary(result, args.data):
        say(line)
    return 0


def summary(result: Result, data_dir: str) -> Iterator[str]:
    """Yield the lines about a run that has ended: what it gave, and what to do next."""
    scores = [counted(result.step, "step"), f"{result.epoch:.2f} epochs", f"{result.seconds:.0f} s"]
    for name, value in (("loss", result.loss), ("validation loss", result.validation_loss)):
        if value is not None:
            scores.append(f"{name} {value:.5f}")
    if result.validation_loss is None:
        scores.append("not validated: these are the last weights")
    already = "" if result.trained else "already complete, exported again: "
    yield f"{already}{result.saved_model}  {', '.join(scores)}"
    model = shlex.quote(result.saved_model)
    colorize = f"autochrome colorize --input scans --output colour --model {model}"
    if result.validation_loss is None:  # nothing is held out to evaluate on
        yield f"next: {colorize}"
        return
    yield f"next: autochrome evaluate --model {model} --data {shlex.quote(data_dir)}"
    yield f"or: {colorize}"


if __name__ == "__main__":
    sys.exit(commands.run(main))
