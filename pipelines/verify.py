"""The command `autochrome verify`: hash a colorized folder again, and say what differs from its records.

Without `--report` it works in this process and prints what differs. With it, a Beam job writes one JSON line for each
file that was hashed, for folders and buckets of any size.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from model import interrupt, saved_model
from model.terminal import UNREAD, is_read, say
from pipelines import audit_flags
from pipelines.archive import scan_places
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from pipelines.audit import checks, summaries, unrecorded
from pipelines.audit.checks import Check
from pipelines.files import cloud, input_checks
from pipelines.runtime import commands
from pipelines.runtime.worker_pool import Gate, WorkerPool


def found(ledger: Ledger, *, sources: bool, model: str) -> Iterator[Check]:
    """Yield every check of a folder, in the order in which they are done, on all cores."""
    yield from checks.of_runs(ledger, model)
    threads = len(os.sched_getaffinity(0))
    pool: WorkerPool[list[Check]] = WorkerPool(threads, Gate(threads))
    of_records: list[Check] = []
    names = unrecorded.Names()

    def work(record: Record) -> list[Check]:
        return list(checks.of_record(record, ledger.folder, sources=sources))

    try:
        for one in summaries.read(ledger):
            if isinstance(one, Check):
                of_records.append(one)
                continue
            names.add(one)
            for some in pool.add(partial(work, one), partial(work, one)):
                yield from some
        for some in pool.rest():
            yield from some
    finally:
        pool.close()
    yield from of_records
    if not of_records and unrecorded.is_looked_for(ledger):
        yield from names.lacking(ledger)


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome verify``; return 0 if all is as recorded, else 1."""
    parser = audit_flags.verify()
    args, beam_flags = parser.parse_known_args(argv)
    cloud.check({"DIR": args.folder, "--state": args.state, "--report": args.report})
    ledger = Ledger.of(args.folder, args.state)
    if args.model:
        saved_model.check(args.model)
    if args.sources:
        scan_places.check(ledger)
    if args.report:
        counts = _as_job(ledger, args, beam_flags)
        if counts is None:
            return 0
    else:
        commands.check_no_beam_flags(parser, beam_flags, "--report")
        counts = Counter[str]()
        for check in found(ledger, sources=args.sources, model=args.model):
            counts[check.key] += 1
            if args.json:
                say(check.to_json())
            elif check.verdict != "same":
                say(str(check))
            if not is_read():
                return UNREAD
    said = ", ".join(f"{key} {number:,}" for key, number in sorted(counts.items())) or "no files"
    where = f"; {args.report} has a line for each" if args.report else ""
    say(f"autochrome: {said}{where}", file=sys.stderr)
    return 0 if all(key.endswith(" same") for key in counts) else 1


def _as_job(ledger: Ledger, args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    input_checks.check_apart([args.folder], args.report, "--report")
    with interrupt.at_once():
        from pipelines.audit import verify_job
        from pipelines.runtime import runners
    if beam_flags:
        options = runners.beam_options(beam_flags)
        runners.check_reach(options, folder=args.folder, report=args.report)
        if args.state:
            runners.check_reach(options, state=args.state)
    return verify_job.run(ledger, args, beam_flags)


if __name__ == "__main__":
    commands.run_module("pipelines.verify")
