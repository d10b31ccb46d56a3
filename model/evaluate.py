"""The command `autochrome evaluate`: a model's scores on a prepared set, beside the grey baseline (ab = 0)."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model import commands, quiet, saved_model
from tfrecords import color
from tfrecords.description import SPLITS
from tfrecords.errors import UserError

if TYPE_CHECKING:
    from model.colorizer import Colorizer

BATCH = 16


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "evaluate",
        "--model SAVED_MODEL --data DIR [flags]",
        "Score a model on a prepared set, beside the grey baseline.",
        "autochrome evaluate --model run/saved_model --data records --json scores.json",
    )
    inputs = flags.add_argument_group("input")
    inputs.add_argument(
        "--model", required=True, metavar="DIR", help="saved_model folder that `autochrome train` wrote"
    )
    inputs.add_argument("--data", required=True, metavar="DIR", help="folder that `autochrome prepare` wrote")
    inputs.add_argument("--split", default="validation", choices=SPLITS, help="which examples (default: validation)")
    output = flags.add_argument_group("output")
    output.add_argument("--json", metavar="FILE", help="write the same figures to FILE")
    return flags


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Scores of a model and of the grey baseline on the same examples (see `model.metrics.Scores.to_dict`).

    Attributes:
        model, grey: figures by name.
        images_per_s: speed of the network alone.
    """

    model: dict[str, float]
    grey: dict[str, float]
    images_per_s: float


def evaluate(colorizer: Colorizer, data_dir: str, split: str) -> Evaluation:
    """Score a colorizer on the stored examples of a split, at their stored size.

    Raises:
        UserError: the data folder is none, the split is empty, or its pictures are not of the colorizer's size.
    """
    from model.metrics import Scores
    from tfrecords import dataset

    description = dataset.read_description(data_dir)
    if description.size != colorizer.size:
        raise UserError(
            f"{data_dir} holds pictures of {description.size} px and the model takes {colorizer.size} px; "
            f"prepare with --size={colorizer.size}"
        )
    side = colorizer.size
    colorizer.predict(np.zeros([BATCH, side, side, 1], np.float32))  # The first call prepares the graph.
    ours, grey, seconds = Scores(), Scores(), 0.0
    for luminance, chroma in dataset.load(data_dir, split).batch(BATCH).as_numpy_iterator():
        begun = time.perf_counter()
        predicted = colorizer.predict(luminance)
        seconds += time.perf_counter() - begun
        for lightness, true_ab, ab in zip(
            luminance * np.float32(100), chroma * np.float32(128), predicted, strict=True
        ):
            truth = _rgb(lightness, true_ab)
            ours.add(truth, _rgb(lightness, ab))
            grey.add(truth, _rgb(lightness, np.zeros_like(ab)))
    return Evaluation(ours.to_dict(), grey.to_dict(), ours.images / seconds)


def _rgb(lightness: color.Floats, ab: color.Floats) -> color.Bytes:
    return color.lab_to_srgb(np.concatenate([lightness, ab], axis=-1))


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        UserError: something the user can mend.
    """
    args = parser().parse_args(argv)
    saved_model.check(args.model)
    if args.json:
        _check_writable(Path(args.json))
    with quiet.startup():
        from model.colorizer import Colorizer

    colorizer = Colorizer.load(args.model)
    evaluation = evaluate(colorizer, args.data, args.split)
    _print(colorizer.name, args.split, evaluation)
    if args.json:
        figures = _figures(colorizer, args.data, args.split, evaluation)
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _check_writable(path: Path) -> None:
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"--json {path} cannot be written; give a file in a folder that is there")


def _figures(colorizer: Colorizer, data_dir: str, split: str, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "data": data_dir,
        "split": split,
        "model": {
            "path": colorizer.path,
            "name": colorizer.name,
            "digest": colorizer.digest,
            "parameters": colorizer.parameters,
            **evaluation.model,
            "images_per_s": evaluation.images_per_s,
        },
        "grey": evaluation.grey,
    }


def _print(name: str, split: str, evaluation: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{evaluation.model['images']} {split} images; PSNR in dB")
    table.add_column("", no_wrap=True)
    for heading in ("mean PSNR", "pooled PSNR", "mean CIEDE2000", "images/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row, scores, speed in (
        (name, evaluation.model, f"{evaluation.images_per_s:.1f}"),
        ("grey", evaluation.grey, "–"),
    ):
        figures = (f"{scores[key]:.2f}" for key in ("mean_psnr", "pooled_psnr", "mean_ciede2000"))
        table.add_row(row, *figures, speed)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(commands.run(main))
