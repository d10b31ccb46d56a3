"""The flags of the commands that use Beam, in a module without it: help and mistyped flags need no slow imports."""

import argparse
from collections.abc import Callable, Sequence

from model import saved_model
from model.commands import Parser, path
from pipelines.images.source_types import COMPOSITE, IPTC_TERMS

SAMPLE_FILE = "sample.png"
"""What `inspect --sample` writes."""
SAMPLE = 32
"""How many photos `plan` measures."""


def positive(text: str) -> int:
    """Returns a flag's whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _percent(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{number} is not from 1 to 100")
    return number


def prepare() -> Parser:
    """Returns the flags of ``autochrome prepare``."""
    parser = Parser(
        "prepare",
        "--input DIR_OR_GLOB --output DIR [flags] [Beam flags]",
        "Make Lab TFRecords of a folder of photos; grey and toned ones are left out.",
        "autochrome prepare --input imagenet/train --output records",
    )
    paths = parser.add_argument_group("paths (local or gs://)")
    paths.add_argument("--input", type=path, required=True, metavar="DIR_OR_GLOB", help="photos, with all subfolders")
    paths.add_argument("--output", type=path, required=True, metavar="DIR", help="where shards and dataset.json go")
    records = parser.add_argument_group("records")
    records.add_argument("--size", type=positive, default=256, help="side in pixels (256)")
    records.add_argument(
        "--num_shards",
        type=positive,
        default=0,
        metavar="N",
        help="training files (one per 1,024 photos; 64 of a small set)",
    )
    records.add_argument(
        "--validation_percent", type=float, default=5.0, metavar="P", help="held out, by a hash of the name (5)"
    )
    records.add_argument("--overwrite", action="store_true", help="replace what another run wrote")
    return parser


def colorize() -> Parser:
    """Returns the flags of ``autochrome colorize``."""
    parser = Parser(
        "colorize",
        "--input DIR_OR_GLOB --output DIR [flags] [Beam flags]",
        "Colorize photos of any size; luminance stays as it is. Paths: local or gs://.",
        "autochrome colorize --input scans --output colour",
    )
    parser.add_argument(
        "--input", type=path, required=True, metavar="DIR_OR_GLOB", help="with all subfolders; or one photo"
    )
    parser.add_argument(
        "--output", type=path, required=True, metavar="DIR", help="for the same tree in colour; or a file, for one"
    )
    _add_model(parser)
    parser.add_argument("--limit", type=positive, default=0, metavar="N", help="only the first N by name")
    parser.add_argument("--sample", type=positive, default=0, metavar="N", help="only N, by a hash of the name")
    parser.add_argument("--keep_existing", action="store_true", help="leave what another model or other settings made")
    parser.add_argument("--replace_changed", action="store_true", help="make photos again whose files somebody changed")
    parser.add_argument("--dry_run", action="store_true", help="list what would be done, write nothing")
    parser.add_argument("--state", type=path, default="", metavar="DIR", help="for manifest and reports (the output)")
    _add_settings(parser)
    parser.add_argument("--accelerator", default="", metavar="GPU", help="of Dataflow's workers, as Dataflow names it")
    return parser


def report() -> Parser:
    """Returns the flags of ``autochrome report``."""
    parser = Parser(
        "report",
        "DIR",
        "Tell what became of every photo, and write DIR/index.html to look through them.\n"
        "Thumbnails are made once; of the sources, if they are where they were.",
        "autochrome report colour",
    )
    parser.add_argument(
        "folder", type=path, metavar="DIR", help="folder that `autochrome colorize` wrote (local or gs://)"
    )
    parser.add_argument("--state", type=path, default="", metavar="DIR", help="that `colorize` got; takes the page too")
    return parser


def plan() -> Parser:
    """Returns the flags of ``autochrome plan``."""
    parser = Parser(
        "plan",
        "--input DIR_OR_GLOB [flags] [Beam flags]",
        "Measure a sample of photos and say what colorizing them all will take.",
        "autochrome plan --input scans",
    )
    parser.add_argument(
        "--input", type=path, required=True, metavar="DIR_OR_GLOB", help="photos, with all subfolders; local or gs://"
    )
    _add_model(parser)
    parser.add_argument("--sample", type=positive, default=SAMPLE, metavar="N", help=f"photos to measure ({SAMPLE})")
    parser.add_argument("--price_per_vcpu_hour", type=float, default=0.0, metavar="P", help="in any currency")
    _add_settings(parser)
    return parser


def inspect() -> Parser:
    """Returns the flags of ``autochrome inspect``."""
    parser = Parser(
        "inspect",
        "DIR [--verify] [--sample N]",
        "Show what a folder of Lab TFRecords holds.",
        "autochrome inspect records --verify",
    )
    parser.add_argument(
        "data", type=path, metavar="DIR", help="folder that `autochrome prepare` wrote (local or gs://)"
    )
    parser.add_argument(
        "--verify", action="store_true", help="read every shard, check checksums and parse every record"
    )
    parser.add_argument(
        "--sample", type=positive, metavar="N", help=f"write N examples, L beside colour, to ./{SAMPLE_FILE}"
    )
    return parser


def _add_model(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--model",
        type=path,
        default=saved_model.RELEASED,
        metavar="DIR",
        help="that `train` wrote (the one that ships)",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that `pipelines.archive.provenance.settings_of` reads."""
    parser.add_argument(
        "--format",
        metavar="F",
        choices=["keep", "jpeg", "png", "tiff", "webp"],
        default="keep",
        help="keep, jpeg, png, tiff or webp (keep, or PNG)",
    )
    parser.add_argument("--quality", type=_percent, default=95, metavar="Q", help="of JPEG and WebP, 1 to 100 (95)")
    parser.add_argument(
        "--bit_depth",
        metavar="B",
        choices=["8", "keep"],
        default="8",
        help="8, or keep: 16 in PNG and TIFF of deep scans (8)",
    )
    parser.add_argument(
        "--digital_source_type",
        metavar="T",
        default=COMPOSITE.removeprefix(IPTC_TERMS),
        help="IPTC term (compositeWithTrainedAlgorithmicMedia)",
    )
    parser.add_argument(
        "--on_color",
        metavar="C",
        choices=["recolor", "skip", "copy"],
        default="recolor",
        help="photos in colour: recolor, skip or copy (recolor)",
    )


PARSERS: dict[str, Callable[[], Parser]] = {
    "prepare": prepare,
    "colorize": colorize,
    "report": report,
    "plan": plan,
    "inspect": inspect,
}
_WITH_BEAM_FLAGS = ("prepare", "colorize", "plan")


def check(command: str, argv: Sequence[str]) -> None:
    """Looks at a command line as far as that goes without Beam, whose own flags are not looked at.

    Raises:
        UserError: a flag is missing, unknown or has a wrong value.
        SystemExit: help was asked for, and printed.
    """
    parser = PARSERS[command]()
    if command in _WITH_BEAM_FLAGS:
        parser.parse_known_args(argv)
    else:
        parser.parse_args(argv)
