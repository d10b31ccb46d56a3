"""The command `autochrome detect`: say of pictures whether a machine coloured them, and how that is known.

Without `--output` the files are examined in this process, and one line for each is printed. With it, a Beam job writes
one JSON line for each, for folders and buckets of any size.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from model import interrupt
from model.terminal import UNREAD, is_read, say
from pipelines import audit_flags
from pipelines.audit.detection import Detection, detect
from pipelines.audit.examine import examine
from pipelines.files import cloud, input_checks, record_lists, sources
from pipelines.runtime import commands
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.errors import UserError


def detections(paths: Sequence[str]) -> Iterator[Detection]:
    """Yield what was found in each file of some paths, in the order in which they are done, on all cores."""
    threads = len(os.sched_getaffinity(0))
    pool: WorkerPool[Detection] = WorkerPool(threads, Gate(threads))
    processes = PhotoProcesses(examine)
    try:
        for source in sources.everything(paths):
            work = partial(detect, source, processes, cropped=True)
            yield from pool.add(work, partial(work, last=True))
        yield from pool.rest()
    finally:
        pool.close()
        processes.close()


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome detect``; return 0 if every file is marked, 1 if one is not or cannot be read."""
    parser = audit_flags.detect()
    args, beam_flags = parser.parse_known_args(argv)
    for path in args.input:
        _check_no_records(path)
    try:
        input_checks.check_any(args.input)
    except UserError as error:  # here it is not the value of a flag
        raise UserError(str(error).removeprefix("--input ")) from error
    if args.output:
        counts = _as_job(args, beam_flags)
        if counts is None:
            return 0
    else:
        commands.check_no_beam_flags(parser, beam_flags, "--output")
        counts = Counter[str]()
        for detection in detections(args.input):
            counts[detection.reason or detection.status] += 1
            say(detection.to_json() if args.json else str(detection))
            if not is_read():
                return UNREAD
    said = ", ".join(f"{key} {number:,}" for key, number in sorted(counts.items())) or "no files"
    where = f"; {args.output} has a line for each" if args.output else ""
    say(f"autochrome: {said}{where}", file=sys.stderr)
    return 0 if set(counts) == {"marked"} else 1


def _check_no_records(path: str) -> None:
    """Raise UserError for the manifest of a colorized folder, which names the scans, not the colour photos."""
    cloud.check({"PATH": path})
    if record_lists.is_record_list(path) or record_lists.found(path):
        raise UserError(
            f"{path} holds records of `autochrome colorize`, which name the scans; give the folder of the colour photos"
        )


def _as_job(args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    cloud.check({"--output": args.output})
    input_checks.check_apart(args.input, args.output)
    with interrupt.at_once():
        from pipelines.audit import detect_job
        from pipelines.runtime import runners
    if beam_flags:
        runners.check_reach(runners.beam_options(beam_flags), input=args.input, output=args.output)
    return detect_job.run(args, beam_flags)


if __name__ == "__main__":
    commands.run_module("pipelines.detect")
