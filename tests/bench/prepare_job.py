"""Runs of `python -m pipelines.prepare` as an operator starts them, seen from outside: their pace, memory and kills."""

import contextlib
import hashlib
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tfrecords.description import FILE_NAME

WORKERS = 2
# What `pipelines.runtime.progress` appends: for each photo, for one that is written, and when all are listed.
_OUTCOMES, _WRITTEN, _ALL_LISTED = b"wkcsr", *b"we"
_POLL_S = 0.01
_LOOK_AT_MEMORY_EVERY_S = 0.2


class Job:
    """One run, with its worker processes in a session and a temporary folder of its own; a context that outlives none.

    Args:
        source: --input.
        output: --output.
        flags: more flags.
        file_limit: bytes that no file it writes may exceed, as a full disk would have it; None for no limit.
    """

    command: tuple[str, ...] = ("pipelines.prepare", f"--direct_num_workers={WORKERS}")

    def __init__(self, source: Path, output: Path, *flags: str, file_limit: int | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="prepare-job-", ignore_cleanup_errors=True)
        self._offset = 0
        self._ticks: Counter[int] = Counter()
        limit = None if file_limit is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit,) * 2)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", *self.command),
                *(f"--input={source}", f"--output={output}", *flags),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": self._scratch.name},
            start_new_session=True,
            preexec_fn=limit,  # noqa: PLW1509 (only calls setrlimit)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self._scratch.cleanup()

    def pids(self) -> list[int]:
        """The run's processes that live: the launching one and its workers, whatever started them."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    state, _, _, session = (entry / "stat").read_text().rpartition(") ")[2].split()[:4]
                    if int(session) == self.process.pid and state != "Z":
                        found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """SIGKILL for every process of the run; returns when none is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_POLL_S)
        self.process.communicate()

    def finish(self) -> tuple[int, str, str]:
        """Waits for the end: exit code, standard output and standard error."""
        stdout, stderr = self.process.communicate()
        return self.process.returncode, stdout, stderr

    @property
    def ends(self) -> bool:
        """Whether the launching process has ended."""
        return self.process.poll() is not None

    @property
    def is_listed(self) -> bool:
        """Whether all photos were found when `done` was last called."""
        return self._ticks[_ALL_LISTED] > 0

    def done(self) -> int:
        """Photos that have their outcome by now, found finished or made by this run."""
        for path in Path(self._scratch.name).glob("autochrome-progress-*"):
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
                self._offset += len(new)
                self._ticks.update(new)
        return sum(self._ticks[code] for code in _OUTCOMES)

    def wait_for(self, written: int) -> None:
        """Returns when some photo has its outcome and `written` are written by this run itself, or when it ends."""
        while not self.ends and (self.done() == 0 or self._ticks[_WRITTEN] < written):
            time.sleep(_POLL_S)

    def written(self) -> int:
        """Photos that this run itself has written by now."""
        self.done()
        return self._ticks[_WRITTEN]


@dataclass(frozen=True)
class Pace:
    """What a whole run took.

    Attributes:
        photos: that have an outcome.
        seconds: from start to end.
        before: seconds from the start to the first photo's outcome: interpreters, listing, duplicates.
        rate: photos a second from the end of the listing to the last photo's outcome.
        launcher: resident bytes of the launching process at its largest.
        worker: likewise of the largest of its workers; 0 where it has none.
    """

    photos: int
    seconds: float
    before: float
    rate: float
    launcher: int
    worker: int

    @property
    def peak(self) -> int:
        """Resident bytes of the largest process at its largest."""
        return max(self.launcher, self.worker)


def pace(source: Path, output: Path, *flags: str, kind: type[Job] = Job) -> Pace:
    """Runs a job to its end and measures it; RuntimeError when it fails."""
    started = looked = time.monotonic()
    first = listed = None
    last, done, peaks = started, 0, {}
    with kind(source, output, *flags) as job:
        while True:
            ended, now = job.ends, time.monotonic()
            if (found := job.done()) != done:
                last, done, first = now, found, first or now
            if job.is_listed:
                listed = listed or now
            if now - looked > _LOOK_AT_MEMORY_EVERY_S:
                looked = now
                peaks.update({pid: _peak_memory(pid) for pid in job.pids()})
            if ended:
                break
            time.sleep(_POLL_S)
        code, _, stderr = job.finish()
        seconds = time.monotonic() - started
        if code or first is None or listed is None:
            raise RuntimeError(f"the job ended with {code}: {stderr}")
        rate = done / max(last - listed, _POLL_S)
        launcher = peaks.pop(job.process.pid)
        return Pace(done, seconds, first - started, rate, launcher, max(peaks.values(), default=0))


def _peak_memory(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 0


def digests(output: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, hidden ones included, by relative path."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def finished_shards(output: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of the shards that have their account, by name."""
    found = {}
    for account in (output / "parts").glob("[!.]*.tfrecord.json"):
        shard = output / account.stem
        if shard.exists():
            found[shard.name] = (shard.stat().st_ino, shard.stat().st_mtime_ns)
    return found


def _finished_photos(output: Path) -> int:
    """Photos of the shards that have their account."""
    accounts = [json.loads(path.read_text()) for path in (output / "parts").glob("[!.]*.tfrecord.json")]
    return sum(account["shard"]["count"] + len(account["rejected"]) for account in accounts)


@dataclass(frozen=True)
class Storm:
    """What a storm of kills did.

    Attributes:
        killed_at: photos done at each kill; a run that ended before its kill is not among them.
        described: how many of the kills met a folder that was whole already.
        unfinished: hidden files of killed writers, summed over the kills.
        kept: for each kill, shards that were finished when it came.
        reopened: finished shards that a later run wrote again; must be empty.
    """

    killed_at: list[int]
    described: int
    unfinished: int
    kept: list[int]
    reopened: list[str]


def storm(source: Path, output: Path, *flags: str, photos: int, kills: int, seed: int = 0) -> Storm:
    """Starts the job again and again and kills it, all its processes at once, while it writes; then lets it finish.

    Each run is killed after a random part of what is left, twice its share of the kills to come at most, so that they
    are spread over all the work; and up to 20 ms later, so that they fall between photos as well.
    """
    draw = random.Random(seed)
    killed_at, kept = list[int](), list[int]()
    reopened: list[str] = []
    described = unfinished = 0
    before: dict[str, tuple[int, int]] = {}

    def compare() -> None:
        nonlocal before
        now = finished_shards(output)
        reopened.extend(name for name, identity in before.items() if now.get(name) != identity)
        before = now

    for number in range(kills):
        finished = _finished_photos(output)
        written = math.ceil(draw.random() * 2 * (photos - finished) / (kills - number + 2))
        delay = draw.uniform(0, 0.02)
        with Job(source, output, *flags) as job:
            # On a busy machine the run must not get far while this process waits for its turn to kill.
            os.setpriority(os.PRIO_PGRP, job.process.pid, 19)
            job.wait_for(written)
            time.sleep(delay)
            if not job.ends:
                job.kill()
                killed_at.append(finished + job.written())
        compare()
        kept.append(len(before))
        described += (output / FILE_NAME).exists()
        unfinished += sum(1 for path in output.rglob(".*") if path.is_file())
    with Job(source, output, *flags) as job:
        code, _, stderr = job.finish()
    if code:
        raise RuntimeError(f"the last run ended with {code}: {stderr}")
    compare()
    return Storm(killed_at, described, unfinished, kept, reopened)


def copies(folder: Path, number: int, target: Path) -> None:
    """Fills a folder with `number` photos made of those of another, no two of them the same bytes.

    Every copy ends in bytes of its own behind the end of the picture, one more of them in each later copy of a photo.
    """
    draw = random.Random(0)
    originals = sorted(path for path in folder.rglob("*") if path.is_file())
    for index in range(number):
        time_round, original = index // len(originals), originals[index % len(originals)]
        copy = target / original.relative_to(folder).with_name(f"{time_round:03d}_{original.name}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(original.read_bytes() + draw.randbytes(8 + time_round))


def differences(expected: dict[str, str], found: dict[str, str]) -> dict[str, list[str]]:
    """Returns how the digests of two folders differ: names by kind of fault."""
    return {
        "differ": sorted(name for name in expected.keys() & found.keys() if expected[name] != found[name]),
        "missing": sorted(expected.keys() - found.keys()),
        "left over": sorted(found.keys() - expected.keys()),
    }


def verdict(files: int, faults: dict[str, list[str]], outcomes: dict[str, int], photos: int) -> int:
    """Prints the faults of a run and its outcomes; returns the exit code."""
    print(f"{files} files; " + "; ".join(f"{name}: {names or 'none'}" for name, names in faults.items()))
    print(f"outcomes {outcomes}, {sum(outcomes.values())} in all")
    return int(any(faults.values()) or sum(outcomes.values()) != photos)
