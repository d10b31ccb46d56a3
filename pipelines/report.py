"""The command `autochrome report`: show what became of every photo in a folder, as figures and as a page to browse."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from model.terminal import say, show
from pipelines import audit_flags
from pipelines.archive import partitions
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import STAGES, Record
from pipelines.archive.record_files import Damage
from pipelines.files import cloud, local_files, local_writes, storage, stores, writable
from pipelines.runtime import commands
from pipelines.runtime.commands import in_bytes
from pipelines.runtime.outcomes import print_table
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import Ticker, watched
from pipelines.runtime.worker_pool import Gate, WorkerPool, unless_out_of_memory
from pipelines.viewer import html, table, thumbnails
from pipelines.viewer.ids import Ids
from pipelines.viewer.pictures import draw
from pipelines.viewer.summary import Rank, Summary
from pipelines.viewer.thumbnails import Sheet
from tfrecords.errors import UserError
from tfrecords.words import counted

_WRITERS = 16  # the files are small: most of the time is spent waiting for the bucket
_DELETED_AT_ONCE = 100


def tell(ledger: Ledger, summary: Summary, console: Console) -> None:
    """Print a summary, and the number of ignored files."""
    ignored = {"ignored": number} if (number := ledger.ignored()) else {}
    print_table(f"Colorized into {ledger.folder}", dict(html.ordered(summary)) | ignored, console)
    figures = [
        ("pictures", f"{summary.pages:,}, {summary.pixels / 1e6:,.1f} megapixels, {in_bytes(summary.bytes_out)}"),
        ("sources", f"{in_bytes(summary.bytes_in)} read"),
        ("in colour already", f"{summary.in_colour:,}"),
        ("with warnings", f"{summary.warned:,}"),
    ]
    figures += [("", f"{name}: {warning}") for name, warning in summary.examples]
    figures += _ranked("most colourful", summary.most) + _ranked("least colourful", summary.least)
    for row in _rows(figures):
        say(row, file=console.file)
    if summary.timed:
        show(_times(summary), console)


def _rows(figures: list[tuple[str, str]]) -> Iterator[str]:
    return (f"{name:<19}{value}" for name, value in figures)


def _ranked(what: str, ranks: list[Rank]) -> list[tuple[str, str]]:
    lines = [f"{rank.colourfulness:5.1f}  {rank.name}" for rank in ranks]
    return [(what if index == 0 else "", line) for index, line in enumerate(lines)]


def _times(summary: Summary) -> Table:
    total = sum(summary.milliseconds.values())
    table = Table(show_edge=False, show_footer=True, pad_edge=False)
    table.add_column("stage", footer="all")
    table.add_column("seconds", justify="right", footer=f"{total / 1e3:,.1f}")
    table.add_column("share", justify="right")
    table.add_column("ms a photo", justify="right", footer=f"{total / summary.timed:,.1f}")
    for stage in STAGES:
        spent = summary.milliseconds[stage]
        table.add_row(stage, f"{spent / 1e3:,.1f}", f"{spent / max(total, 1e-9):.0%}", f"{spent / summary.timed:,.1f}")
    return table


def _counted(records: Iterable[Record], there: Ids) -> tuple[Summary, Ids, int]:
    """Return the summary, the ids of all pictures that there should be, and how many records lack some."""
    summary, lacking = Summary(), 0

    def ids() -> Iterator[str]:
        nonlocal lacking
        for record in records:
            summary.add(record)
            sheet = Sheet(record)
            lacking += sheet.lacks(there)
            yield from sheet.ids

    return summary, Ids(ids()), lacking


def picture(ledger: Ledger, there: Ids, ticker: Ticker) -> set[str]:
    """Make the pictures that do not exist yet, on all cores.

    Args:
        ledger: of the folder.
        there: ids of the existing pictures.
        ticker: receives one report for every photo that lacks pictures.

    Returns:
        ids of the new pictures.
    """
    threads = len(os.sched_getaffinity(0))
    pool: WorkerPool[set[str]] = WorkerPool(threads, Gate(threads))
    processes = PhotoProcesses(draw)
    made: set[str] = set()

    def note(results: Iterator[set[str]]) -> None:
        for ids in results:
            made.update(ids)
            ticker.done("written")

    try:
        for record in ledger.records():
            sheet = Sheet(record)
            if sheet.lacks(there):
                work = partial(sheet.make, ledger.folder, there, _saver(ledger.state), processes)
                note(pool.add(work, partial(unless_out_of_memory, partial(work, last=True), set[str]())))
        note(pool.rest())
    finally:
        pool.close()
        processes.close()
    return made


def _saver(folder: str) -> Callable[[str, bytes], None]:
    return lambda name, data: storage.write_in(folder, name, data)


def lay_out(ledger: Ledger, summary: Summary, there: Ids) -> set[str]:
    """Write the page; return the paths of its files relative to the folder."""
    title = storage.normalized(ledger.folder).rpartition("/")[2] or ledger.folder
    place = html.address_of(ledger.folder, ledger.state)
    files = html.pages(ledger.records(), summary, ledger.made_with(), title, there, place)
    save = _saver(ledger.state)
    pool: WorkerPool[None] = WorkerPool(_WRITERS, Gate(_WRITERS))
    written = set()
    try:
        for name, data in files:
            written.add(name)
            if name == html.FILE:  # after all the files that it loads
                list(pool.rest())
                save(name, data)
            else:
                work = partial(save, name, data)
                list(pool.add(work, work))
    finally:
        pool.close()
    return written


def _delete(uris: Iterable[str]) -> None:
    rest = iter(uris)
    while few := list(islice(rest, _DELETED_AT_ONCE)):
        storage.remove(few)


def _tabulate(ledger: Ledger, path: Path) -> None:
    def written() -> tuple[Summary, list[Damage]]:
        summary = Summary()
        damaged: list[Damage] = []

        def told() -> Iterator[Record]:
            for record in ledger.records(damaged.append):
                summary.add(record)
                yield record

        with local_files.whole_file(path) as file:
            table.write(told(), path.suffix.lower(), file)
        return summary, damaged

    summary, damaged = local_writes.patiently(str(path), written)
    tell(ledger, summary, Console())
    _tell_damage(ledger, damaged)
    say(f"{path}: {counted(summary.inputs, 'row')}")


def _tell_damage(ledger: Ledger, damaged: Iterable[Damage]) -> None:
    """Say which files of records are damaged, which partitions are missing, and whether the last run has ended."""
    for damage in damaged:
        say(f"{storage.join(ledger.state, damage.name)} {damage.what}; {damage.advice}")
    if lacking := partitions.lacking(ledger.state):
        say(f"{storage.join(ledger.state, partitions.PARTITIONS)} {lacking}")
    if ledger.journals:
        say("a run is not done or was killed; these are its photos so far: the same `autochrome colorize` continues it")


def _report(ledger: Ledger) -> None:
    folder = ledger.state
    there = Ids(id_ for id_, _ in thumbnails.listed(folder))
    damaged: list[Damage] = []
    summary, wanted, lacking = _counted(ledger.records(damaged.append), there)
    tell(ledger, summary, Console())
    _tell_damage(ledger, damaged)
    with watched("thumbnails", enabled=lacking > 0) as ticker:
        for _ in range(lacking):
            ticker.listed()
        ticker.all_listed()
        there = there | picture(ledger, there, ticker)
    written = lay_out(ledger, summary, there)
    _delete(uri for id_, uri in thumbnails.listed(folder) if id_ not in wanted)
    _delete(html.leftovers(folder, written))
    how = "copy it, and open it in a browser" if storage.is_in_bucket(folder) else "open it in a browser"
    say(f"{storage.join(folder, html.FILE)}: {how}{_gone(wanted.missing_from(there))}")
    if storage.is_in_bucket(folder):
        say(stores.of(folder).copy_command(storage.normalized(folder), (html.FILE, html.FOLDER)))


def _gone(number: int) -> str:
    if not number:
        return ""
    return (
        f"; {number:,} {'thumbnail' if number == 1 else 'thumbnails'} could not be made: photos are missing or changed"
    )


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome report``."""
    args = audit_flags.report().parse_args(argv)
    cloud.check({"DIR": args.folder, "--state": args.state})
    ledger = Ledger.of(args.folder, args.state)
    if args.table:
        if Path(args.table).is_dir():
            raise UserError(f"--table {args.table} is a folder; name a file")
        writable.check(str(Path(args.table).parent), "--table")
    else:
        writable.check(ledger.state, "--state" if args.state else "DIR", own=(thumbnails.FOLDER, *html.FOLDERS))
    try:
        if args.table:
            _tabulate(ledger, Path(args.table))
        else:
            _report(ledger)
    except PermissionError:  # a line of its own, see `pipelines.runtime.commands`
        raise
    except storage.io_errors() as error:
        raise UserError(f"{args.folder}: {str(error).splitlines()[0]}; is a run writing there? Try again") from error
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.report")
