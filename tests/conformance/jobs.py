"""One job as an operator starts it, on any runner, and what it left: files, digests, counts."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_PHOTOS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class Made:
    """What a job left.

    Attributes:
        files: SHA-256 of the files that every runner must make alike, by relative path.
        outcomes: inputs by outcome.
    """

    files: dict[str, str]
    outcomes: dict[str, int]

    @property
    def photos(self) -> int:
        """Inputs that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def digest(self) -> str:
        """Of all files and their names."""
        told = "".join(f"{name}\0{digest}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(told.encode()).hexdigest()


def prepared(output: Path) -> Made:
    """What ``prepare`` left, to the last byte: shards, their accounts, ``dataset.json``, the rejected ones."""
    return Made(_digests(output), json.loads((output / "dataset.json").read_text())["outcomes"])


def colorized(output: Path) -> Made:
    """The photos that ``colorize`` left; its accounts hold times, which no two runs share.

    What an earlier start had written counts as written.
    """
    photos = {name: digest for name, digest in _digests(output).items() if Path(name).suffix.lower() in _PHOTOS}
    outcomes = json.loads((output / "report.json").read_text())["outcomes"]
    outcomes["written"] += outcomes.pop("skipped", 0)
    return Made(photos, outcomes)


def _digests(output: Path) -> dict[str, str]:
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in output.rglob("*")
        if path.is_file()
    }


class Job:
    """``python -m pipelines.prepare`` or ``colorize`` in a session of its own; a context that leaves no process behind.

    Args:
        name: ``prepare`` or ``colorize``.
        flags: of the job and of Beam.
        environment: variables beside those of this process.
    """

    def __init__(self, name: str, flags: Sequence[str], environment: Sequence[tuple[str, str]] = ()) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"pipelines.{name}", *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict(environment)},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def finish(self) -> tuple[int, str, float]:
        """Waits for the end: exit code, standard error, seconds since the start."""
        _, stderr = self._process.communicate()
        return self._process.returncode, stderr, time.monotonic() - self._started
