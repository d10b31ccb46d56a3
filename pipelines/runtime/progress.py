"""Show the progress of a local run, whatever the number of workers: a bar on a terminal, otherwise a line at intervals.

Beam's local runner reports nothing while a stage runs, so every worker appends one byte per photo to a file that the
launching process watches. Jobs on other runners have no such file; their progress is in Beam's counters.
"""

import contextlib
import io
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from model.terminal import printable, say, started
from pipelines import shared_file
from pipelines.notices import Mailbox
from pipelines.runtime import words
from pipelines.runtime.outcomes import Status
from pipelines.runtime.pace import Pace
from tfrecords.words import counted

_LISTED = b"."
_ALL_LISTED = b"e"
_CODES: dict[Status, bytes] = {
    "written": b"w",
    "kept": b"k",
    "copied": b"c",
    "skipped": b"s",
    "rejected": b"r",
}
_LOOK_EVERY_S = 0.25
_LINE_EVERY_S = 10.0


@dataclass(frozen=True)
class Ticker:
    """The receiver of the workers' reports.

    Attributes:
        path: of the file that gets one byte per event; '' if nobody watches.
    """

    path: str = ""

    def listed(self) -> None:
        """Report that one more photo was found."""
        self._append(_LISTED)

    def all_listed(self) -> None:
        """Report that all photos of the run were found, so that the total is final."""
        self._append(_ALL_LISTED)

    def done(self, status: Status, photos: int = 1) -> None:
        """Report that photos have an outcome."""
        self._append(_CODES[status] * photos)

    def _append(self, code: bytes) -> None:
        if self.path:
            # If no file descriptor is free, the bar lags behind, but the job need not stop.
            with contextlib.suppress(OSError):
                shared_file.append(self.path, code)


SILENT = Ticker()


@dataclass
class _Reading:
    """The contents of the file so far; each update reads only what is new."""

    file: IO[bytes]

    def __post_init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.started = time.monotonic()
        self._pace = Pace()

    def update(self) -> None:
        self.counts.update(self.file.read())
        self._pace.note(self.done, time.monotonic())

    @property
    def found(self) -> int:
        return self.counts[_LISTED[0]]

    @property
    def total(self) -> int | None:
        """The number of photos; None until listing has ended."""
        return self.found if self.counts[_ALL_LISTED[0]] else None

    @property
    def done(self) -> int:
        return sum(self.counts[code[0]] for code in _CODES.values())

    @property
    def rejected(self) -> int:
        return self.counts[_CODES["rejected"][0]]

    @property
    def rate(self) -> str:
        """Photos per second, minute or hour as text; '' while the rate is unknown."""
        rate = self._pace.rate(time.monotonic())
        return "" if rate is None else words.rate(rate)

    @property
    def left(self) -> str:
        """The remaining time as text; '' while it is unknown."""
        rate = self._pace.rate(time.monotonic())
        if rate is None or self.total is None or self.done >= self.total:
            return ""
        return f"{words.duration((self.total - self.done) / rate)} left"


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *(TextColumn(f"{{task.fields[{name}]}}") for name in ("photos", "rate", "left", "rejected")),
        console=console,
        # Standard error of other code is redirected to a file; rich would print it above the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _fields(reading: _Reading) -> dict[str, Any]:
    """Return the texts beside a bar."""
    total = "?" if reading.total is None else reading.total
    return {
        "photos": f"{reading.done}/{total}",
        "rate": reading.rate,
        "left": reading.left,
        "rejected": f"{reading.rejected} rejected",
    }


def _line(verb: str, reading: _Reading) -> str:
    if reading.total is None and not reading.done:
        return f"{verb}: {reading.found:,} found so far"
    total = "? photos" if reading.total is None else counted(reading.total, "photo")
    parts = [f"{reading.done:,} of {total}", reading.rate, f"{reading.rejected:,} rejected", reading.left]
    return f"{verb}: {', '.join(filter(None, parts))}"


def _last_line(verb: str, reading: _Reading) -> str:
    total = reading.found if reading.total is None else reading.total
    return f"{verb}: {reading.done:,} of {counted(total, 'photo')} in {time.monotonic() - reading.started:,.0f} s"


@contextlib.contextmanager
def watched(verb: str, *, enabled: bool) -> Iterator[Ticker]:
    """Show progress on standard error while the block runs.

    Args:
        verb: what is done to the photos, such as ``preparing``.
        enabled: False for runners whose workers are on other machines.

    Yields:
        the ticker for the job.
    """
    if not enabled:
        yield SILENT
        return
    started()
    stream = _own_stderr()
    console = Console(file=stream)
    show = _show_bar if console.is_terminal else _show_lines
    with tempfile.NamedTemporaryFile(prefix="autochrome-progress-") as file, Mailbox() as mailbox:
        finished = threading.Event()
        reading = _Reading(file.file)
        watcher = threading.Thread(target=show, args=(verb, reading, finished, console, mailbox), daemon=True)
        watcher.start()
        try:
            try:
                yield Ticker(file.name)
            finally:
                finished.set()
                watcher.join()
            if reading.found:
                say(_last_line(verb, reading), file=stream)
        finally:
            if stream is not sys.stderr:
                stream.close()


def _own_stderr() -> TextIO:
    """Return standard error on its own descriptor, because the run redirects the shared one."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w")
    except io.UnsupportedOperation:  # standard error is not a file, so nothing redirects it
        return sys.stderr


def _show_bar(verb: str, reading: _Reading, finished: threading.Event, console: Console, mailbox: Mailbox) -> None:
    with _bar(console) as bar:
        task: TaskID = bar.add_task(verb, total=None, **_fields(reading))
        while True:
            last = finished.wait(_LOOK_EVERY_S)
            reading.update()
            for line in mailbox.news():
                bar.console.print(printable(f"autochrome: {line}"), soft_wrap=True, highlight=False, markup=False)
            bar.update(task, total=reading.total or None, completed=reading.done, **_fields(reading))
            if last:
                return


def _show_lines(verb: str, reading: _Reading, finished: threading.Event, console: Console, mailbox: Mailbox) -> None:
    said = time.monotonic()
    last = False
    while not last:
        last = finished.wait(_LOOK_EVERY_S)
        reading.update()
        for line in mailbox.news():
            say(f"autochrome: {line}", file=console.file)
        if time.monotonic() - said >= _LINE_EVERY_S and reading.found and not last:
            said = time.monotonic()
            say(_line(verb, reading), file=console.file)
