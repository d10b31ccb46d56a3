"""Define the flags of commands that use Beam, without importing it: help and flag errors need no slow imports."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

from model import evaluate, exporting, saved_model, train
from model.commands import Parser, Rare, add_help, did_you_mean, listed, number, one_of, path, whole
from model.guidance import ranges
from model.space_names import NAMES
from pipelines import audit_flags
from pipelines.files.schemes import place
from pipelines.flag_types import add_choice, add_lists, add_manifest, add_partition, add_reading, local, side
from pipelines.guidance import arguments as guidance
from pipelines.images.source_types import COMPOSITE, IPTC_TERMS
from tfrecords.errors import UserError

SAMPLE_FILE = "sample.png"
"""The file that `inspect --sample` writes."""
SAMPLE = 32
"""The number of photos that `plan` measures by default."""
_INPUT = "folder, photo, tar, list or 'glob'; may be repeated"


def prepare() -> Parser:
    """Return the parser of ``autochrome prepare``."""
    parser = Parser(
        "prepare",
        "[--input] PATH [--output] DIR [flags] [Beam flags]",
        "Turn colour photos into Lab TFRecords to train on. Grey and toned photos are\n"
        "left out. Paths: local, gs://, s3://, az://. A run that was stopped continues.",
        "autochrome prepare --input imagenet/train --output records",
        ("input", "output"),
    )
    paths = parser.add_argument_group()
    paths.add_argument("--input", type=place, action="append", metavar="PATH", help=_INPUT)
    paths.add_argument("--output", type=place, metavar="DIR", help="folder for the records and dataset.json")
    add_lists(paths)
    records = parser.add_argument_group("records")
    records.add_argument(
        "--size", type=side, default=256, metavar="N", help="side of the stored pictures in pixels (default: 256)"
    )
    records.add_argument(
        "--num_shards",
        type=whole(1),
        default=0,
        metavar="N",
        help="number of training files (default: one per 1,024 photos, at least 64)",
    )
    records.add_argument(
        "--validation_percent",
        type=number("a number from 0 to below 100", lambda percent: 0 <= percent < 100),
        default=5.0,
        metavar="P",
        help="percent of the photos held out (default: 5)",
    )
    records.add_argument("--overwrite", action="store_true", help="delete the records of another run first")
    add_partition(records, "only the I-th of N parts of the files; the last one describes the set")
    add_help(records)
    return parser


def colorize() -> Parser:
    """Return the parser of ``autochrome colorize``."""
    parser = Parser(
        "colorize",
        "[--input] PATH [--output] DIR [flags] [Beam flags]",
        "Colorize photos; brightness stays as it is. Paths: local, gs://, s3://, az://.",
        "autochrome colorize --input scans --output colour",
        ("input", "output"),
    )
    group = parser.add_argument_group()
    group.add_argument("--input", type=place, action="append", metavar="PATH", help=_INPUT)
    group.add_argument("--output", type=place, metavar="DIR", help="folder for the results; or a file, for one photo")
    add_lists(group)
    group.add_argument(
        "--copy_sidecars", action="store_true", help=Rare("copy .xmp, .json and the like along with their photos")
    )
    group.add_argument("--keep_mtime", action="store_true", help=Rare("give results the time of change of their photo"))
    _add_model(group)
    group.add_argument(
        "--limit", type=whole(1), default=0, metavar="N", help="only the first N photos by name (default: all)"
    )
    group.add_argument(
        "--sample", type=whole(1), default=0, metavar="N", help="only N photos, chosen by a hash of the name"
    )
    group.add_argument("--keep_existing", action="store_true", help="keep photos of another model or other settings")
    group.add_argument("--replace_changed", action="store_true", help="replace results that were edited since")
    add_choice(group)
    group.add_argument("--dry_run", action="store_true", help="list what would be done; write nothing")
    group.add_argument(
        "--state", type=place, default="", metavar="DIR", help="folder for records and reports (default: output)"
    )
    add_manifest(group)
    audit_flags.add_sidecar(group)
    audit_flags.add_signing(group)
    _add_settings(group)
    guidance.add(group)
    group.add_argument(
        "--accelerator", default="", metavar="GPU", help=Rare("GPU of Dataflow workers, as Dataflow names it")
    )
    add_help(group)
    return parser


def plan() -> Parser:
    """Return the parser of ``autochrome plan``."""
    parser = Parser(
        "plan",
        "[--input] PATH [flags] [Beam flags]",
        "Colorize a sample of photos without saving them, and estimate time, money and\n"
        "space for all. Paths: local, gs://, s3://, az://.",
        "autochrome plan --input scans --price_per_vcpu_hour 0.07",
        ("input",),
    )
    group = parser.add_argument_group()
    group.add_argument("--input", type=place, action="append", metavar="PATH", help=_INPUT)
    add_lists(group)
    _add_model(group)
    group.add_argument(
        "--sample", type=whole(1), default=SAMPLE, metavar="N", help=f"number of photos to measure (default: {SAMPLE})"
    )
    group.add_argument(
        "--price_per_vcpu_hour",
        type=number("0 or more", lambda price: 0 <= price < float("inf")),
        default=0.0,
        metavar="P",
        help="in dollars; adds the cost of the work on Dataflow",
    )
    _add_settings(group)
    add_help(group)
    return parser


def pack() -> Parser:
    """Return the parser of ``autochrome pack``."""
    parser = Parser(
        "pack",
        "--data DIR --output DIR [flags]",
        "Make a prepared set small, for machines that train without TensorFlow\n(`python -m model.jax_train`).",
        "autochrome pack --data records --output packs --side 128",
    )
    group = parser.add_argument_group()
    group.add_argument("--data", type=place, required=True, metavar="DIR", help="output folder of `prepare`")
    group.add_argument("--output", type=local, required=True, metavar="DIR", help="local folder for the packs")
    group.add_argument(
        "--side", type=side, default=0, metavar="N", help="side of the pictures in pixels (default: the set's)"
    )
    group.add_argument(
        "--quality", type=whole(1, 100), default=50, metavar="Q", help="of WebP, from 1 to 100 (default: 50)"
    )
    group.add_argument(
        "--file_mib", type=whole(1, 1024), default=45, metavar="N", help="MiB of a file at most (default: 45)"
    )
    group.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of the order (default: 0)")
    add_help(group)
    return parser


def inspect() -> Parser:
    """Return the parser of ``autochrome inspect``."""
    parser = Parser(
        "inspect",
        "DIR [--verify] [--sample N]",
        "Show what a folder of Lab TFRecords holds. Exit code 1: --verify found damage.",
        "autochrome inspect records --verify",
    )
    group = parser.add_argument_group()
    group.add_argument("data", type=place, metavar="DIR", help="output folder of `prepare`")
    group.add_argument("--verify", action="store_true", help="read every file, check checksums and every record")
    group.add_argument(
        "--sample", type=whole(1), metavar="N", help=f"write N examples, grey beside colour, to ./{SAMPLE_FILE}"
    )
    add_help(group)
    return parser


def _add_model(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--model",
        type=path,
        default=saved_model.RELEASED,
        metavar="DIR",
        help="saved_model of `train` (default: the released one)",
    )


def _add_settings(group: argparse._ArgumentGroup) -> None:
    """Add the flags that `pipelines.archive.provenance.settings_of` reads."""
    group.add_argument(
        "--format",
        metavar="F",
        type=one_of("keep", "jpeg", "png", "tiff", "webp", jpg="jpeg", tif="tiff"),
        default="keep",
        help="keep, jpeg, png, tiff or webp (default: keep)",
    )
    group.add_argument(
        "--quality", type=whole(1, 100), default=95, metavar="Q", help="of JPEG and WebP, 1 to 100 (default: 95)"
    )
    group.add_argument(
        "--bit_depth",
        metavar="B",
        type=one_of("keep", "8"),
        default="keep",
        help="keep 16 bits in PNG and TIFF (default), or 8",
    )
    group.add_argument(
        "--color_space",
        metavar="C",
        type=one_of(*NAMES),
        default="srgb",
        help=f"{listed([*NAMES], 'or')} (default: srgb)",
    )
    group.add_argument(
        "--alpha",
        metavar="A",
        type=one_of("flatten", "keep"),
        default="flatten",
        help=Rare("transparent photos: flatten on white (default) or keep"),
    )
    group.add_argument(
        "--digital_source_type",
        metavar="T",
        default=COMPOSITE.removeprefix(IPTC_TERMS),
        help=Rare("IPTC, default compositeWithTrainedAlgorithmicMedia"),
    )
    group.add_argument(
        "--on_color",
        metavar="C",
        type=one_of("recolor", "skip", "copy"),
        default="recolor",
        help="colour photos: skip, copy or (default) recolor",
    )
    group.add_argument(
        "--borders",
        metavar="B",
        type=one_of("ignore", "keep"),
        default="ignore",
        help="margins: ignore (default: grey) or keep (coloured)",
    )
    audit_flags.add_marks(group)
    add_reading(group)
    group.add_argument(
        "--saturation",
        type=number(ranges.told("saturation"), partial(ranges.holds, "saturation")),
        default=1.0,
        metavar="S",
        help=Rare("factor of the colours' strength, 0 to 4 (default: 1)"),
    )


PARSERS: dict[str, Callable[[], Parser]] = {
    "prepare": prepare,
    "colorize": colorize,
    "report": audit_flags.report,
    "plan": plan,
    "detect": audit_flags.detect,
    "verify": audit_flags.verify,
    "apply": audit_flags.apply,
    "deliver": audit_flags.deliver,
    "inspect": inspect,
    "pack": pack,
}
CLOSE_BEAM_FLAGS = ("--labels",)
"""Flags of Beam that are not taken for a mistyped one of ours."""
_WITH_BEAM_FLAGS = ("prepare", "colorize", "plan", "detect", "verify", "apply")
_ALL = {**PARSERS, "train": train.parser, "evaluate": evaluate.parser, "export": exporting.parser}


def check(command: str, argv: Sequence[str]) -> None:
    """Check a command line as far as possible without Beam, whose own flags are not checked.

    Raises:
        UserError: a flag is missing, mistyped, of another command, or has a wrong value.
        SystemExit: help was requested and printed.
    """
    parser = _ALL[command]()
    for word in argv:
        if word.startswith("--"):
            _check_flag(parser, word.partition("=")[0])
    if command in _WITH_BEAM_FLAGS:
        parser.parse_known_args(argv)
    else:
        parser.parse_args(argv)


def _check_flag(parser: Parser, flag: str) -> None:
    if flag in parser.flags or (flag in CLOSE_BEAM_FLAGS and parser.command in _WITH_BEAM_FLAGS):
        return
    # No other flag of Beam is close to one of ours (`tests/pipelines/test_cli.py`).
    if hint := did_you_mean(flag, parser.flags):
        raise UserError(f"unknown flag {flag}; {hint}")
    owners = [command for command, make in _ALL.items() if flag in make().flags]
    if owners:
        raise UserError(f"{flag} is a flag of {listed(owners)}, not of {parser.command}; for example: {parser.example}")
