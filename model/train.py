"""The command `autochrome train`: a prepared set in, a trained SavedModel out."""

from __future__ import annotations

import dataclasses
import sys

from model import commands, preemption, progress, quiet
from model import config as configs
from model.terminal import say
from tfrecords.errors import UserError


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "train",
        "--data DIR --output DIR [flags]",
        "Train a network on a prepared set; run again, it goes on where it stopped.",
        "autochrome train --data records --output run --max_minutes 20",
    )
    files = flags.add_argument_group("files")
    files.add_argument(
        "--data", type=commands.path, required=True, metavar="DIR", help="folder that `autochrome prepare` wrote"
    )
    files.add_argument(
        "--output", type=commands.path, required=True, metavar="DIR", help="checkpoints, metrics.jsonl and saved_model/"
    )
    files.add_argument(
        "--init", type=commands.path, default="", metavar="DIR", help="start from this saved_model, or `released`"
    )
    training = flags.add_argument_group("training")
    names = ", ".join(name for name in configs.CONFIGS if not name.endswith("_mini"))
    training.add_argument("--config", default="autoencoder", metavar="NAME", help=f"{names}; tiny: NAME_mini")
    training.add_argument("--epochs", type=int, metavar="N", help="passes over the data (default: the config's)")
    training.add_argument("--batch_size", type=int, metavar="N", help="of all devices together (default: the config's)")
    training.add_argument("--max_minutes", type=float, metavar="M", help="stop after M minutes of training in all")
    training.add_argument("--seed", type=int, metavar="N", help="of weights, order and flips (default: the config's)")
    training.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any field of the config")
    training.add_argument("--strategy", default="auto", metavar="NAME", help="auto, one, mirrored, multiworker or tpu")
    return flags


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        UserError: something the user can correct, before training starts.
    """
    args = parser().parse_args(argv)
    given = {name: getattr(args, name) for name in ("epochs", "batch_size", "seed") if getattr(args, name) is not None}
    config = dataclasses.replace(configs.by_name(args.config).override(args.set), **given)
    if args.max_minutes is not None and args.max_minutes <= 0:
        raise UserError(f"--max_minutes must be more than 0, not {args.max_minutes:g}")
    from model import google_cloud

    google_cloud.check_all({"--data": args.data, "--output": args.output, "--init": args.init})
    with quiet.startup():
        from model import strategy, trainer

    with progress.shown() as show, preemption.watched() as stop:
        result = trainer.train(
            config,
            args.data,
            args.output,
            strategy.make(args.strategy),
            init=args.init,
            max_minutes=args.max_minutes,
            on_report=show,
            stop=stop,
        )
    if result.interrupted:
        say(f"autochrome: stopped at step {result.step} and saved; the same command goes on", file=sys.stderr)
        return stop.exit_code
    scores = [f"{result.step} steps", f"{result.epoch:.2f} epochs", f"{result.seconds:.0f} s"]
    for name, value in (("loss", result.loss), ("validation loss", result.validation_loss)):
        if value is not None:
            scores.append(f"{name} {value:.5f}")
    already = "" if result.trained else "already complete, exported again: "
    say(f"{already}{result.saved_model}  {', '.join(scores)}")
    return 0


if __name__ == "__main__":
    sys.exit(commands.run(main))
