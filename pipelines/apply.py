"""The command `autochrome apply`: rebuild colour photos from scans and the sidecars of `colorize --sidecar`.

Without `--report` it works in this process and says which photos could not be made. With it, a Beam job writes one JSON
line for each sidecar, for folders and buckets of any size.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from model import interrupt
from model.terminal import say
from pipelines import audit_flags
from pipelines.archive import applying
from pipelines.archive.applying import Applied
from pipelines.archive.chroma_file import ENDING
from pipelines.archive.render import render
from pipelines.files import cloud, input_checks, writable
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime import commands
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.errors import UserError


def applied(sidecars: str, scans: str, output: str) -> Iterator[tuple[Source, Applied]]:
    """Yield the result for each sidecar of a folder, in the order in which they are done, on all cores."""
    threads = len(os.sched_getaffinity(0))
    pool: WorkerPool[tuple[Source, Applied]] = WorkerPool(threads, Gate(threads))
    processes = PhotoProcesses(render)

    def work(sidecar: Source, *, last: bool) -> tuple[Source, Applied]:
        return sidecar, applying.apply(sidecar, scans, output, processes, last=last)

    try:
        for file in files(Branch(path=sidecars), sidecars.rstrip("/") or "/"):
            if file.name.endswith(ENDING):
                yield from pool.add(partial(work, file, last=False), partial(work, file, last=True))
        yield from pool.rest()
    finally:
        pool.close()
        processes.close()


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome apply``; return 0 if every photo is there, else 1."""
    parser = audit_flags.apply()
    args, beam_flags = parser.parse_known_args(argv)
    places = {"--input": args.input, "--sidecars": args.sidecars, "--output": args.output, "--report": args.report}
    cloud.check(places)
    for folder in (args.input, args.sidecars):
        input_checks.check_apart([folder], args.output)
    if args.report:
        input_checks.check_apart([args.sidecars, args.output], args.report, "--report")
    else:
        commands.check_no_beam_flags(parser, beam_flags, "--report")
    writable.check(args.output)
    counts = _as_job(args, beam_flags) if args.report else _here(args)
    if counts is None:
        return 0
    if not counts:
        raise UserError(f"{args.sidecars} has no {ENDING} files; `autochrome colorize --sidecar DIR` writes them")
    said = ", ".join(f"{key} {number:,}" for key, number in sorted(counts.items()))
    where = f"; {args.report} has a line for each" if args.report else ""
    say(f"autochrome: {said}{where}", file=sys.stderr)
    return 1 if counts.get("failed") else 0


def _here(args: argparse.Namespace) -> dict[str, int]:
    """Work in this process, and say what stood in the way."""
    counts = Counter[str]()
    for sidecar, result in applied(args.sidecars, args.input, args.output):
        counts[result.outcome] += 1
        if result.detail:
            say(f"{sidecar.name}: {result.detail}")
    return counts


def _as_job(args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    with interrupt.at_once():
        from pipelines.audit import apply_job
        from pipelines.runtime import runners
    if beam_flags:
        options = runners.beam_options(beam_flags)
        runners.check_reach(options, input=args.input, sidecars=args.sidecars, output=args.output, report=args.report)
    return apply_job.run(args, beam_flags)


if __name__ == "__main__":
    commands.run_module("pipelines.apply")
