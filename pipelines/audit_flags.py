"""Define the flags of the commands that look at results: `report`, `detect`, `verify`, `apply`, `deliver`."""

import argparse
from urllib.parse import urlsplit

from model.commands import Parser, Rare, add_help, number, one_of, path, whole
from pipelines.files.schemes import place
from pipelines.viewer.table import ENDINGS
from tfrecords.uris import is_remote


def table(text: str) -> str:
    """Return the path of a table as it is, or ''; an argparse error if it is not local, or has another ending."""
    if text and not text.lower().endswith(ENDINGS):
        raise argparse.ArgumentTypeError(f"{text} ends in neither {' nor '.join(ENDINGS)}; name the file so")
    if is_remote(text):
        raise argparse.ArgumentTypeError(f"{text} is not local; give a local path, and copy the file afterwards")
    return text


def authority(text: str) -> str:
    """Return the URL of a time stamp authority as it is, or ''; an argparse error if it is none, or has a password."""
    if not text:
        return text
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.hostname:
        raise argparse.ArgumentTypeError(f"{text} is not a URL with http:// or https://")
    if url.username is not None:
        raise argparse.ArgumentTypeError("a URL with a name or password would be in records; give one without")
    return text


def report() -> Parser:
    """Return the parser of ``autochrome report``."""
    parser = Parser(
        "report",
        "DIR [--state DIR] [--table FILE]",
        "Show what became of every photo, and write DIR/index.html to browse them.\n"
        "It may be run again at any time, also while `autochrome colorize` works.",
        "autochrome report colour",
    )
    group = parser.add_argument_group()
    group.add_argument("folder", type=place, metavar="DIR", help="output folder of `colorize`")
    group.add_argument(
        "--state", type=place, default="", metavar="DIR", help="the --state that `colorize` was given; takes index.html"
    )
    group.add_argument(
        "--table", type=table, default="", metavar="FILE", help="write a .csv or .parquet file instead of the page"
    )
    add_help(group)
    return parser


def detect() -> Parser:
    """Return the parser of ``autochrome detect``."""
    parser = Parser(
        "detect",
        "PATH... [--json] [--output DIR] [Beam flags]",
        "Say whether a machine coloured a picture, by watermark, XMP and Content\n"
        "Credentials. Exit code 0: every file is marked; 1: one is not, or is broken.",
        "autochrome detect colour/photo.jpg",
    )
    group = parser.add_argument_group()
    group.add_argument("input", type=place, nargs="+", metavar="PATH", help="folder, photo, tar or 'glob'")
    group.add_argument("--json", action="store_true", help="print a JSON object for each file")
    group.add_argument(
        "--output", type=place, default="", metavar="DIR", help="folder for a line for each file; for large folders"
    )
    add_help(group)
    return parser


def verify() -> Parser:
    """Return the parser of ``autochrome verify``."""
    parser = Parser(
        "verify",
        "DIR [--sources] [--model DIR] [flags] [Beam flags]",
        "Hash every file of a colorized folder again, and say what differs from its\n"
        "records. Exit code 0: nothing differs; 1: something does.",
        "autochrome verify colour --sources",
    )
    group = parser.add_argument_group()
    group.add_argument("folder", type=place, metavar="DIR", help="output folder of `colorize`")
    group.add_argument("--state", type=place, default="", metavar="DIR", help="the --state that `colorize` was given")
    group.add_argument("--sources", action="store_true", help="hash the scans as well")
    group.add_argument("--model", type=path, default="", metavar="DIR", help="model that should have made the photos")
    group.add_argument("--json", action="store_true", help="print a JSON object for each thing that was hashed")
    group.add_argument(
        "--report", type=place, default="", metavar="DIR", help="folder for a line for each; for large folders"
    )
    add_help(group)
    return parser


def apply() -> Parser:
    """Return the parser of ``autochrome apply``."""
    parser = Parser(
        "apply",
        "[--input] DIR [--sidecars] DIR [--output] DIR [flags]",
        "Make colour photos again, byte for byte, of scans and the sidecars of\n"
        "`colorize --sidecar`. It needs no model. Paths: local, gs://, s3://, az://.",
        "autochrome apply --input scans --sidecars chroma --output colour",
        ("input", "sidecars", "output"),
    )
    group = parser.add_argument_group()
    group.add_argument("--input", type=place, metavar="DIR", help="folder of the scans, as `colorize` was given it")
    group.add_argument("--sidecars", type=place, metavar="DIR", help="the --sidecar that `colorize` was given")
    group.add_argument("--output", type=place, metavar="DIR", help="folder for the colour photos")
    group.add_argument(
        "--report", type=place, default="", metavar="DIR", help="folder for a line for each sidecar; for large folders"
    )
    add_help(group)
    return parser


def deliver() -> Parser:
    """Return the parser of ``autochrome deliver``."""
    parser = Parser(
        "deliver",
        "DIR --to DIR [flags]",
        "Put the photos of a colorized folder into BagIt bags, with PREMIS, a CSV table\n"
        "and IIIF manifests. A delivery that was stopped continues.",
        "autochrome deliver colour --to bags --scans",
    )
    group = parser.add_argument_group()
    group.add_argument("folder", type=place, metavar="DIR", help="output folder of `colorize`, local or gs://")
    group.add_argument("--to", type=place, required=True, metavar="DIR", help="folder for the bags")
    group.add_argument("--state", type=place, default="", metavar="DIR", help="the --state that `colorize` was given")
    group.add_argument("--scans", action="store_true", help="put the scans into the bags as well")
    group.add_argument(
        "--url", default="", metavar="URL", help="where the bags will be on the web; makes IIIF manifests"
    )
    group.add_argument(
        "--bag_photos", type=whole(1), default=1000, metavar="N", help="photos of a bag, at most (default: 1000)"
    )
    group.add_argument(
        "--bag_gb",
        type=number("above 0", lambda size: 0 < size < float("inf")),
        default=10.0,
        metavar="N",
        help="gigabytes of a bag, at most (default: 10)",
    )
    add_help(group)
    return parser


def add_marks(group: argparse._ArgumentGroup) -> None:
    """Add the flags of `colorize` for marks in and below the picture."""
    group.add_argument(
        "--watermark",
        metavar="W",
        type=one_of("on", "off"),
        default="on",
        help=Rare("invisible mark in the colours: on (default) or off"),
    )
    group.add_argument(
        "--label",
        type=one_of("off", "on"),
        default="off",
        metavar="L",
        help=Rare("a line below the picture, 'AI-colorized': off (default) or on"),
    )


def add_signing(group: argparse._ArgumentGroup) -> None:
    """Add the flags of `colorize` that `pipelines.archive.signing.of` takes."""
    group.add_argument(
        "--sign", type=place, default="", metavar="PEM", help=Rare("certificates; signs files with Content Credentials")
    )
    group.add_argument(
        "--sign_key", type=place, default="", metavar="PEM", help=Rare("private key for --sign; workers read it")
    )
    group.add_argument(
        "--sign_command", default="", metavar="CMD", help=Rare("signs its standard input, in place of --sign_key")
    )
    group.add_argument(
        "--sign_timestamp_url",
        type=authority,
        default="",
        metavar="URL",
        help=Rare("authority (RFC 3161) that stamps signatures with the time"),
    )


def add_sidecar(group: argparse._ArgumentGroup) -> None:
    """Add the flag of `colorize` that writes what `apply` reads."""
    group.add_argument(
        "--sidecar",
        type=place,
        default="",
        metavar="DIR",
        help=Rare("folder for files of the chroma alone; only: make no pictures"),
    )
