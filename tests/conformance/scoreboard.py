"""Runs of the golden jobs, one for each runner, and the table that sets them side by side."""

import importlib
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engines import LOCAL, Engine
from jobs import Job, Made, colorized, prepared

READ = {"prepare": prepared, "colorize": colorized, "guided": colorized}
PROGRAMS = {"prepare": "prepare", "colorize": "colorize", "guided": "colorize"}
"""What runs each golden job."""


@dataclass(frozen=True)
class Row:
    """One run: on which runner, which job, what it made, and the seconds from command to end."""

    engine: str
    job: str
    made: Made
    seconds: float
    remark: str = ""

    def cells(self) -> tuple[str, ...]:
        """A line of the table."""
        outcomes = ", ".join(f"{key} {number}" for key, number in sorted(self.made.outcomes.items()))
        photos, files, digest = str(self.made.photos), str(len(self.made.files)), self.made.digest[:16]
        return self.engine, self.job, photos, outcomes, files, digest, f"{self.seconds:.1f}", self.remark


ROWS = pytest.StashKey[list[tuple[str, ...]]]()


@dataclass
class Runs:
    """Golden jobs, each run once on each runner.

    Attributes:
        flags: of each job but for ``--output``.
        folder: that outputs go to.
        rows: takes the lines of the table.
    """

    flags: dict[str, tuple[str, ...]]
    folder: Path
    rows: list[tuple[str, ...]]
    _made: dict[tuple[str, str], Made] = field(default_factory=dict)

    def __call__(self, engine: Engine, job: str) -> Made:
        """What a job makes on a runner."""
        if (engine.name, job) not in self._made:
            self._made[engine.name, job] = self._run(engine, job)
        return self._made[engine.name, job]

    def output(self, engine: Engine, job: str) -> Path:
        """Where it goes."""
        return self.folder / f"{job}-{engine.name}"

    def _run(self, engine: Engine, job: str) -> Made:
        output = self.output(engine, job)
        flags = (*self.flags[job], f"--output={output}", *engine.flags)
        if engine in LOCAL:
            # In this process, which has imported already what the job imports.
            started = time.monotonic()
            code = importlib.import_module(f"pipelines.{PROGRAMS[job]}").main(list(flags))
            stderr, seconds = "", time.monotonic() - started
        else:
            with engine.workers() as pool:
                flags = (*flags, *pool.flags) if pool else flags
                with Job(PROGRAMS[job], flags, engine.environment) as running:
                    code, stderr, seconds = running.finish()
        assert code == 0, stderr
        made = READ[job](output)
        self.add(engine, job, made, seconds)
        return made

    def add(self, engine: Engine, job: str, made: Made, seconds: float, remark: str = "") -> None:
        """Gives the table a line."""
        self.rows.append(Row(engine.name, job, made, seconds, remark).cells())


HEAD = ("runner", "job", "photos", "outcomes", "files", "digest", "seconds", "")


def table(rows: list[tuple[str, ...]]) -> str:
    """A line a run, in columns."""
    cells = [HEAD, *rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in padded)
