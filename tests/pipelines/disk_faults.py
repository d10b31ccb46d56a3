"""Runs of `autochrome` in processes whose disk fails: see `failing_disk/sitecustomize.py`."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

PASSING = ["EIO", "EMFILE", "ENFILE", "ESTALE", "ENOMEM", "ETIMEDOUT", "EAGAIN", "ENOTCONN"]
WRITES = ["create", "fsync", "os.rename", "os.link", "os.mkdir", "os.remove"]
HOOK = Path(__file__).with_name("failing_disk")


@dataclass(frozen=True)
class DiskFaults:
    """What fails.

    Attributes:
        counts: an empty folder for the counts, which all processes share.
        match: which files and folders cannot be opened, a regular expression.
        errors: names of error numbers, taken in turn.
        times: how often each of them fails.
        without_descriptors: seconds for which the process that opens one can open nothing at all; then ``errors`` are
            those of the operating system.
        events: what fails: audit events of Python, ``create`` for a file that is opened to be written, and ``fsync``.
        is_brief: whether processes wait only a second for what fails.
    """

    counts: Path
    match: str
    errors: list[str] = field(default_factory=lambda: ["EIO"])
    times: int = 2
    without_descriptors: float = 0.0
    events: list[str] = field(default_factory=lambda: ["open", "os.scandir"])
    is_brief: bool = False

    @property
    def environment(self) -> dict[str, str]:
        faults = asdict(self) | {"counts": str(self.counts)}
        path = os.pathsep.join([str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, "PYTHONPATH": path, "FAILING_DISK": json.dumps(faults)}

    def met(self) -> int:
        """How many errors there were."""
        return sum(path.stat().st_size for path in self.counts.iterdir())


def run(arguments: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `autochrome` with these arguments."""
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
