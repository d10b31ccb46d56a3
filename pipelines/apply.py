"""The command `autochrome apply`: rebuild colour photos from scans and the sidecars of `colorize --sidecar`."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial

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
    args = audit_flags.apply().parse_args(argv)
    cloud.check({"--input": args.input, "--sidecars": args.sidecars, "--output": args.output})
    for folder in (args.input, args.sidecars):
        input_checks.check_apart([folder], args.output)
    writable.check(args.output)
    counts = Counter[str]()
    for sidecar, result in applied(args.sidecars, args.input, args.output):
        counts[result.outcome] += 1
        if result.detail:
            say(f"{sidecar.name}: {result.detail}")
    if not counts:
        raise UserError(f"{args.sidecars} has no {ENDING} files; `autochrome colorize --sidecar DIR` writes them")
    say(f"autochrome: {', '.join(f'{key} {number:,}' for key, number in sorted(counts.items()))}", file=sys.stderr)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    commands.run_module("pipelines.apply")
