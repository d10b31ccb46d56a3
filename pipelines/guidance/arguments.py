"""The flags of guidance. Imports nothing slow: help and errors in flags come before the rest."""

import argparse
from functools import partial

from model.commands import Rare, number, one_of
from model.guidance import ranges
from pipelines.files.schemes import place


def add(group: argparse._ArgumentGroup) -> None:
    """Add the flags that `pipelines.guidance.planning.of` reads."""
    group.add_argument(
        "--hints",
        type=place,
        default="",
        metavar="PATH",
        help="colours for places in photos: folder, .csv or .jsonl",
    )
    group.add_argument(
        "--hint_reach",
        type=number(ranges.told("hint_reach"), partial(ranges.holds, "hint_reach")),
        default=None,
        metavar="R",
        help=Rare("how far hints reach, as a share of the longer side (default: 0.1 or 0.3)"),
    )
    group.add_argument(
        "--hint_method",
        type=one_of(*ranges.METHODS),
        default=None,
        metavar="M",
        help=Rare("how hints spread: network (default if the model takes hints), blend or optimise"),
    )
    group.add_argument(
        "--palette",
        type=place,
        default="",
        metavar="FILE",
        help=Rare("move colours to a palette: .txt of #rrggbb, .gpl, .ase, .aco or a picture"),
    )
    group.add_argument(
        "--palette_strength",
        type=number(ranges.told("palette_strength"), partial(ranges.holds, "palette_strength")),
        default=1.0,
        metavar="S",
        help=Rare("how far colours are moved to the palette, 0 to 1 (default: 1)"),
    )
    group.add_argument(
        "--reference",
        type=place,
        default="",
        metavar="PATH",
        help=Rare("photo in colour, or folder of them, whose colours photos get"),
    )
    group.add_argument(
        "--rules",
        type=place,
        default="",
        metavar="FILE",
        help=Rare("TOML: which photos get which palette, reference, hints, saturation, model"),
    )
    group.add_argument(
        "--on_bad_hint",
        metavar="B",
        type=one_of("reject", "ignore"),
        default="reject",
        help=Rare("photos with a broken hint file: ignore the file, or (default) reject"),
    )
