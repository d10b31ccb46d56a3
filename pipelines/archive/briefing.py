"""Tell the user which files of earlier runs `colorize` may change, and at the end what it did."""

import json
import shlex
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rich.console import Console
from rich.table import Table

from model.terminal import say, show
from pipelines.archive import manifest, partitions, record_files, run_list
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import FOLDER, LAST_RUN_FILE, REJECTED_SHARDS, REPORT_FILE, Record
from pipelines.archive.resume import Policy
from pipelines.files import storage
from pipelines.runtime import outcomes
from pipelines.runtime.outcomes import DONE, REJECTED_FILE, REJECTED_IN_ONE_FILE, print_table
from tfrecords.errors import UserError
from tfrecords.words import counted

_FORMATS = {manifest.JSON_LINES: "JSON Lines", manifest.PARQUET: "Parquet"}


def before(output: str, state: str, policy: Policy, limit: int = 0) -> str:
    """Return a line about files that a run may replace or remove; '' if there are none.

    The manifest is read only if another model or other settings were ever used in the folder.

    Args:
        output: the folder.
        state: the folder of the manifest.
        policy: of the run.
        limit: maximum number of photos of the run; 0 for all.
    """
    if policy.keep_existing or all(run == policy.recipe.made_with() for run in run_list.known(state)):
        return ""
    try:
        outdated = (record for record in Ledger.of(output, state).records() if _is_outdated(record, policy))
        files = sum(len({one.name for one in record.outputs}) for record in islice(outdated, limit or None))
    except UserError:  # no run has written a manifest yet
        return ""
    if not files:
        return ""
    return (
        f"{output}: up to {counted(files, 'file')} of earlier runs with another model or other settings will be "
        "replaced or removed (--dry_run lists them, --keep_existing keeps them)"
    )


def converted(state: str, to: str) -> str:
    """Return a line about records of earlier runs that a run writes in another format; '' if there are none.

    Args:
        state: the folder of the manifest.
        to: the format, one of `manifest.FORMATS`.
    """
    there = {manifest.format_of(name) for name in record_files.read_index(state).shards} - {to}
    if not there:
        return ""
    return (
        f"{storage.join(state, FOLDER)}: the records are {_FORMATS[there.pop()]}; this run ends with {_FORMATS[to]} "
        "(--manifest_format chooses)"
    )


def _is_outdated(record: Record, policy: Policy) -> bool:
    """Return whether the files of a record will make way for those of another model or other settings."""
    recipe = policy.recipe
    if not record.outputs or not record.model_digest or (record.was_changed and not policy.replace_changed):
        return False
    return not recipe.has_made(record, record.name)


def after(pattern: str, output: str, state: str, console: Console) -> None:
    """Print the outcomes, what the last run did, where everything is, and what to do next.

    Args:
        pattern: the input.
        output: the folder.
        state: the folder of the manifest.
        console: to print to.
    """
    report = json.loads(storage.read(storage.join(state, REPORT_FILE)))
    last = json.loads(storage.read(storage.join(state, LAST_RUN_FILE)))
    print_table(f"Colorized {pattern}", report["outcomes"], console)
    show(_work(last), console)
    for line in _closing(report, last, output, state):
        say(line, file=console.file)
    if line := outcomes.nothing_made(report["outcomes"]):
        where = storage.join(state, rejected_file(report["outcomes"]))
        say(f"autochrome: {line}; {where} says why", file=sys.stderr)


def _closing(report: dict[str, Any], last: dict[str, Any], output: str, state: str) -> Iterator[str]:
    if last["kept"]:
        yield (
            "kept: their files were changed or made by somebody else (--replace_changed replaces them), "
            "or --keep_existing kept them"
        )
    if warnings := report.get("warnings"):
        yield f"photos with warnings: {', '.join(f'{code} {number:,}' for code, number in warnings.items())}"
    rejected = storage.join(state, rejected_file(report["outcomes"]))
    yield f"photos: {output}; a record of each: {storage.join(state, FOLDER)}; rejected photos and why: {rejected}"
    state = partitions.base_of(state)
    command = ["autochrome", "report", output, *([] if state == output else ["--state", state])]
    yield f"next: {shlex.join(command)}"


def rejected_file(counts: dict[str, int]) -> str:
    """Return the path of the list of rejected photos relative to the folder; a glob if it is in shards.

    Args:
        counts: number of photos by outcome.
    """
    rejected = sum(number for key, number in counts.items() if key not in DONE)
    return REJECTED_SHARDS if rejected > REJECTED_IN_ONE_FILE else REJECTED_FILE


def _work(last: dict[str, int]) -> Table:
    """Return the table of what a run did; its photos add up to the number of inputs."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("this run")
    table.add_column("number", justify="right")
    photos = {
        "made": last["made"] - last["left_out"],
        "left out": last["left_out"],
        "found done": last["found"] - last["kept"],
        "kept": last["kept"],
    }
    files = {"files replaced": last["replaced"], "files removed": last["removed"]}
    shown = {what: number for what, number in photos.items() if number or what == "made"}
    shown |= {what: number for what, number in files.items() if number}
    for what, number in shown.items():
        table.add_row(what, f"{number:,}")
    return table
