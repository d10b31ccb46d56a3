"""The command `autochrome evaluate`: score models on a prepared set, with no colour and the best possible as rows."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from model import commands, progress, quiet, saved_model, terminal, writing
from model.terminal import printable, say, started
from tfrecords.errors import UserError
from tfrecords.shards import SPLITS
from tfrecords.words import counted

if TYPE_CHECKING:
    from model.scoreboard import Scoreboard

SHEET_TYPES = (".png", ".jpg", ".jpeg", ".webp")
COLUMNS = (
    ("PSNR↑", "mean_psnr", "{:.2f}"),
    ("pool↑", "pooled_psnr", "{:.2f}"),
    ("ΔE00↓", "mean_ciede2000", "{:.2f}"),
    ("AuC↑", "auc", "{:.2f}"),
    ("bal.↑", "auc_balanced", "{:.2f}"),
    ("colour", "colourfulness_share", "{:.0f}%"),
    ("stain↓", "stain", "{:.1f}%"),
    ("paled↓", "paled", "{:.0f}%"),
    ("img/s", "images_per_s", "{:.1f}"),
    ("weights", "parameters", "{:,}"),
)
CAPTION = (
    "↑ more is better, ↓ less is better. PSNR: dB, mean of the images; pool: dB, all pixels together; ΔE00: CIEDE2000; "
    "AuC: % of pixels within an ab error; bal.: AuC with all colours counted alike; "
    "colour: colourfulness, best at the truth's 100%; stain: grey that was given "
    "colour; paled: colour that was lost"
)


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "evaluate",
        "--model DIR [--model DIR …] --data DIR [flags]",
        "Score models on prepared photos, next to two yardsticks: no colour at all, and\n"
        "the true colours at each model's own resolution. Paths are local or gs://.",
        "autochrome evaluate --model run/saved_model --data records --json scores.json",
    )
    inputs = flags.add_argument_group()
    inputs.add_argument(
        "--model",
        type=commands.path,
        required=True,
        action="append",
        metavar="DIR",
        help="saved_model; may be repeated",
    )
    inputs.add_argument("--data", type=commands.path, required=True, metavar="DIR", help="output folder of `prepare`")
    inputs.add_argument(
        "--split",
        default="validation",
        type=commands.one_of(*SPLITS),
        metavar="S",
        help="train or validation (default: validation)",
    )
    inputs.add_argument("--json", type=commands.path, metavar="FILE", help="write the scores to FILE as well")
    inputs.add_argument(
        "--sheet", type=commands.path, metavar="FILE", help="picture of grey, each model and the truth side by side"
    )
    commands.add_help(inputs)
    return flags


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        UserError: something that the user can correct.
    """
    args = parser().parse_args(argv)
    from model import google_cloud

    google_cloud.check_all({"--data": args.data, "--json": args.json or "", "--sheet": args.sheet or ""})
    for path in args.model:
        saved_model.check(path)
    if args.json:
        _check_writable("--json", args.json)
    if args.sheet:
        _check_writable("--sheet", args.sheet)
        if Path(args.sheet).suffix.lower() not in SHEET_TYPES:
            raise UserError(f"--sheet {args.sheet} must end in {', '.join(SHEET_TYPES)}")
    with quiet.startup():
        import cv2

        from model import scoreboard
        from model.colorizer import Colorizer
        from tfrecords import dataset

    models = [Colorizer.load(path, batches=True) for path in dict.fromkeys(args.model)]
    with progress.counted("scoring", dataset.read_description(args.data).count(args.split)) as on_images:
        board = scoreboard.score(models, args.data, args.split, on_images)
    show(board, args.split)
    if args.json:
        figures = {
            "data": args.data,
            "split": args.split,
            "images": board.images,
            "grey_images": board.grey_images,
            "recognition": board.recognition,
            "rows": [row.to_dict() for row in board.rows],
        }
        _write(args.json, (json.dumps(figures, indent=2) + "\n").encode())
        say(f"{args.json}: the same scores")
    if args.sheet:
        _, encoded = cv2.imencode(Path(args.sheet).suffix.lower(), board.sheet[..., ::-1])
        _write(args.sheet, encoded.tobytes())
        shown = "each model" if len(set(args.model)) > 1 else "the model"
        say(f"{args.sheet}: grey, {shown} and the truth side by side")
    return 0


def _check_writable(flag: str, name: str) -> None:
    path = Path(name)
    if saved_model.is_remote(name):
        return  # A bucket says so when it is written to.
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{flag} {path} cannot be written; name a file in a folder that exists")


def _write(name: str, data: bytes) -> None:
    with writing.named(name):
        if not saved_model.is_remote(name):
            Path(name).write_bytes(data)
            return
        import tensorflow as tf

        with tf.io.gfile.GFile(name, "wb") as file:
            file.write(data)


def show(board: Scoreboard, split: str) -> None:
    """Print a scoreboard of a split as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    started()
    table = Table(
        title=f"{counted(board.images, f'{split} image')} ({counted(board.grey_images, 'grey one')} left out)",
        caption=CAPTION,
        box=None,
        padding=(0, 1, 0, 0),
    )
    # All columns fit into 80 characters; only the name may take more than one line.
    table.add_column("", min_width=len("truth at"), overflow="fold")
    for heading, *_ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in board.rows:
        figures = row.to_dict()
        cells = (form.format(figures[key]) if key in figures else "–" for _, key, form in COLUMNS)
        table.add_row(Text(printable(row.name)), *cells)
    terminal.show(table, Console())
    for line in _recognised(board):
        say(line)


def _recognised(board: Scoreboard) -> list[str]:
    """Return lines about what the published classifier makes of the pictures."""
    from model import classifier

    lines = []
    truth = board.recognition.get("top1")
    if truth is not None:
        each = [f"{printable(row.name)} {row.scores['top1']:.1f}%" for row in board.rows]
        photos = counted(int(board.recognition["labelled"]), "photo")
        lines.append(
            f"top-1 of {classifier.NAME} on {photos} with an ImageNet class: "
            f"{', '.join([*each, f'truth {truth:.1f}%'])}"
        )
    distances = [f"{printable(row.name)} {row.scores['fd_lite']:.2f}" for row in board.rows if "fd_lite" in row.scores]
    if distances:
        lines.append(f"FD-Lite on {counted(int(board.recognition['features']), 'photo')}: {', '.join(distances)}")
    return lines


if __name__ == "__main__":
    sys.exit(commands.run(main))
