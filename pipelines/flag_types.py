"""Types of flags, and flags that several commands share."""

import argparse

from model.commands import Rare, did_you_mean, one_of, path, whole
from pipelines.archive.manifest import FORMATS
from pipelines.files.schemes import place
from pipelines.images.reading import DEFAULT_MEGAPIXELS
from pipelines.runtime.outcomes import REASONS, RETRIED
from pipelines.runtime.partition import WHOLE, Partition
from tfrecords.uris import is_remote


def side(text: str) -> int:
    """Return the side of the stored pictures in pixels: a multiple of 8 in [8, 2048]."""
    if not text.isdecimal() or int(text) % 8 or not 8 <= int(text) <= 2048:
        raise argparse.ArgumentTypeError(f"must be a multiple of 8 from 8 to 2048, not {text}")
    return int(text)


def local(text: str) -> str:
    """Return a path on this machine."""
    if is_remote(path(text)):
        raise argparse.ArgumentTypeError(f"must be a folder on this machine, not {text}")
    return text


def columns(text: str) -> tuple[str, ...]:
    """Return the names of columns that a comma separates."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"must be names of columns with commas between them, not {text!r}")
    return names


def partition(text: str) -> Partition:
    """Return one of n parts of the photos, from a text such as 3/8."""
    index, slash, total = text.partition("/")
    if not (slash and index.isdecimal() and total.isdecimal() and 1 <= int(index) <= int(total) <= 99_999):
        raise argparse.ArgumentTypeError(f"must be I/N, such as 3/8 for the third of eight parts, not {text}")
    return Partition(int(index), int(total))


def reasons(text: str) -> tuple[str, ...]:
    """Return reasons of rejections that a comma separates; '' for none."""
    given = tuple(reason.strip() for reason in text.split(",") if reason.strip())
    for reason in given:
        if reason not in REASONS:
            hint = did_you_mean(reason, REASONS) or f"the reasons are {', '.join(REASONS)}"
            raise argparse.ArgumentTypeError(f"{reason} is not a reason; {hint}")
    return given


def add_reading(group: argparse._ArgumentGroup) -> None:
    """Add flags that say how photos are read, and how large they may be."""
    group.add_argument(
        "--pages",
        metavar="P",
        type=one_of("auto", "first", "all"),
        default="auto",
        help=Rare("first or all pages and frames; auto: all of a TIFF (default)"),
    )
    group.add_argument(
        "--truncated",
        metavar="T",
        type=one_of("reject", "keep"),
        default="reject",
        help=Rare("files that are cut short: reject (default), or keep their rows"),
    )
    group.add_argument(
        "--max_megapixels",
        type=whole(1, 10_000),
        default=DEFAULT_MEGAPIXELS,
        metavar="N",
        help=Rare(f"of a page, at most (default: {DEFAULT_MEGAPIXELS})"),
    )
    group.add_argument(
        "--max_seconds",
        type=whole(1),
        default=0,
        metavar="N",
        help=Rare("processor time for a photo (default: 30, more for large files)"),
    )


def add_choice(group: argparse._ArgumentGroup) -> None:
    """Add flags that choose photos of `colorize` by their outcome and by their name."""
    group.add_argument(
        "--retry",
        type=reasons,
        default=RETRIED,
        metavar="A,B",
        help=Rare("reasons of rejected photos to make again"),
    )
    add_partition(group, "only the I-th of N parts of the photos, with its own records")


def add_partition(group: argparse._ArgumentGroup, text: str) -> None:
    """Add the flag that chooses one of several parts of the work, with a text for the help."""
    group.add_argument("--partition", type=partition, default=WHOLE, metavar="I/N", help=Rare(text))


def add_manifest(group: argparse._ArgumentGroup) -> None:
    """Add the flag that chooses the format of the records of `colorize`."""
    group.add_argument(
        "--manifest_format",
        metavar="F",
        type=one_of(*FORMATS),
        default=FORMATS[0],
        help=Rare("of the records: jsonl (default), or parquet for SQL and pandas"),
    )


def add_lists(group: argparse._ArgumentGroup) -> None:
    """Add the flags that `pipelines.files.list_parts.lists_of` reads, and the one that names files to ignore."""
    group.add_argument(
        "--root",
        type=place,
        default="",
        metavar="DIR",
        help=Rare("folder that paths in lists are relative to"),
    )
    group.add_argument(
        "--input_columns",
        type=columns,
        default=(),
        metavar="A,B",
        help=Rare("that name photos in lists (default: path,uri,id)"),
    )
    group.add_argument(
        "--exclude",
        type=path,
        action="append",
        default=[],
        metavar="GLOB",
        help=Rare("ignore files or folders of this name; may be repeated"),
    )
