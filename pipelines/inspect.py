"""What a data folder holds, without importing TensorFlow."""

from rich.console import Console
from rich.table import Table

from model.commands import Parser
from pipelines import commands, storage
from pipelines.outcomes import print_table
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.example import LabExample
from tfrecords.shards import Shard, checksum, read_records


def read_description(data_dir: str) -> Description:
    """Reads ``dataset.json``.

    Raises:
        UserError: there is none, or it is not ours.
    """
    try:
        path = storage.join(data_dir, FILE_NAME)
        text = storage.read(path).decode()
    except storage.IO_ERRORS as error:
        raise UserError(f"{data_dir} has no readable {FILE_NAME}; make the set with `autochrome prepare`") from error
    return Description.from_json(text, path)


def verify(data_dir: str, shard: Shard) -> str:
    """Reads a whole shard, parses every record, and compares it with its description.

    Returns:
        what is wrong, or ''.
    """
    try:
        with storage.opened(storage.join(data_dir, shard.name)) as file:
            size, crc32c = checksum(iter(lambda: file.read(1 << 20), b""))
        if (size, crc32c) != (shard.bytes, shard.crc32c):
            return f"{size:,} bytes with crc32c {crc32c:08x} instead of {shard.bytes:,} with {shard.crc32c:08x}"
        with storage.opened(storage.join(data_dir, shard.name)) as file:
            number = len([LabExample.from_bytes(record).name for record in read_records(file)])
    except storage.IO_ERRORS as error:
        return str(error)
    return "" if number == shard.count else f"{number:,} records instead of {shard.count:,}"


def _summary(data_dir: str, description: Description, faults: dict[str, str] | None) -> Table:
    table = Table(title=f"{data_dir}: Lab records, {description.size} x {description.size}", title_justify="left")
    table.add_column("shard")
    table.add_column("examples", justify="right")
    table.add_column("MB", justify="right")
    table.add_column("crc32c")
    if faults is not None:
        table.add_column("verified")
    for shard in (shard for shards in description.splits.values() for shard in shards):
        row = [shard.name, f"{shard.count:,}", f"{shard.bytes / 1e6:,.1f}", f"{shard.crc32c:08x}"]
        table.add_row(*row, *([faults[shard.name] or "ok"] if faults is not None else []))
    return table


def _parser() -> Parser:
    parser = Parser(
        "inspect", "DIR [--verify]", "Show what a folder of Lab TFRecords holds.", "autochrome inspect records --verify"
    )
    parser.add_argument("data", metavar="DIR", help="folder that `autochrome prepare` wrote (local or gs://)")
    parser.add_argument(
        "--verify", action="store_true", help="read every shard, check checksums and parse every record"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome inspect``; exit code 1 when ``--verify`` finds a fault."""
    args = _parser().parse_args(argv)
    description = read_description(args.data)
    shards = [shard for split in description.splits.values() for shard in split]
    faults = {shard.name: verify(args.data, shard) for shard in shards} if args.verify else None
    console = Console()
    console.print(_summary(args.data, description, faults))
    for split in description.splits:
        console.print(f"{split}: {description.count(split):,} examples")
    print_table("Inputs", description.outcomes, console)
    return 1 if faults and any(faults.values()) else 0


if __name__ == "__main__":
    commands.run_module("pipelines.inspect")
