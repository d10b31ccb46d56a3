"""Runs of `python -m pipelines.colorize` as an operator starts them, and kills them."""

import contextlib
import json
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import prepare_job

_POLL_S = 0.01
# What differs from run to run, on purpose.
_TIMES = ("manifest/timings-", "manifest/last_run.json")


class Job(prepare_job.Job):
    """One run; see `prepare_job.Job`."""

    command = ("pipelines.colorize",)


def digests(output: Path) -> dict[str, str]:
    """SHA-256 of every file of an output folder that must be the same in every run, hidden ones included."""
    return {name: digest for name, digest in prepare_job.digests(output).items() if not name.startswith(_TIMES)}


def recorded(output: Path) -> dict[str, dict]:
    """Returns the records in the journals and shards of an output folder, by name; neither torn nor pending ones."""
    found = {}
    for path in [*(output / "manifest").glob("photos-*.jsonl"), *(output / "manifest" / "journal").glob("*.jsonl")]:
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if not record.get("pending"):
                    found[record["name"]] = record
    return found


@dataclass
class Storm:
    """What a storm of kills did.

    Attributes:
        killed_at: photos that had a record at each kill; a run that ended before its kill is not among them.
        unrecorded: files without a record found after each kill: the photos being processed.
        unfinished: hidden files of killed writers, summed over the kills.
        again: files with a record that a later run wrote again; must be empty.
    """

    killed_at: list[int] = field(default_factory=list)
    unrecorded: list[int] = field(default_factory=list)
    unfinished: int = 0
    again: list[str] = field(default_factory=list)


def storm(source: Path, output: Path, *flags: str, photos: int, kills: int, seed: int = 0) -> Storm:
    """Starts the job again and again and kills it, all its processes at once, while it writes.

    Each run is killed after a random part of what is left, twice its share of the kills to come at most, so that they
    are spread over all the work; and up to 50 ms later, so that they fall between photos as well.
    """
    draw = random.Random(seed)
    result = Storm()
    before: dict[str, tuple[int, int]] = {}
    for number in range(kills):
        done = len(recorded(output))
        target = done + max(1, round(draw.random() * 2 * (photos - done) / (kills - number + 2)))
        with Job(source, output, *flags) as job:
            # On a busy machine the run must not get far while this process waits for its turn to kill.
            os.setpriority(os.PRIO_PGRP, job.process.pid, 19)
            while not job.ends and len(recorded(output)) < target:
                time.sleep(_POLL_S)
            time.sleep(draw.uniform(0, 0.05))
            if job.ends:
                code, _, stderr = job.finish()
                if code:
                    raise RuntimeError(f"a run ended with {code}: {stderr}")
            else:
                job.kill()
                result.killed_at.append(len(recorded(output)))
        now = identities(output)
        result.again += [name for name, identity in before.items() if now.get(name) != identity]
        before = now
        files = [path for path in output.rglob("*") if path.is_file() and "manifest" not in path.parts]
        result.unfinished += sum(path.name.startswith(".") for path in files)
        visible = {str(path.relative_to(output)) for path in files if not path.name.startswith(".")}
        result.unrecorded.append(len(visible - now.keys() - {"report.json", "rejected.jsonl"}))
    return result


def identities(output: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of the files that have a record, by name."""
    found = {}
    for record in recorded(output).values():
        for made in record["outputs"]:
            about = (output / made["name"]).stat()
            found[made["name"]] = (about.st_ino, about.st_mtime_ns)
    return found
