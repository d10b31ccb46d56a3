"""Progress of a local run, whatever the number of worker processes: a bar on a terminal, now and then a line elsewhere.

Beam's local runner tells nothing while a stage runs, so every worker appends one byte a photo to a file that the
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
from pipelines.notices import Mailbox
from pipelines.runtime import words
from pipelines.runtime.outcomes import Status
from pipelines.runtime.pace import Pace

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
    """What workers report to.

    Attributes:
        path: of the file that takes one byte an event; '' when nobody watches.
    """

    path: str = ""

    def listed(self) -> None:
        """One more photo was found."""
        self._append(_LISTED)

    def all_listed(self) -> None:
        """Reports that every photo of the run was found: their number will not grow."""
        self._append(_ALL_LISTED)

    def done(self, status: Status, photos: int = 1) -> None:
        """Counts photos that now have their outcome."""
        self._append(_CODES[status] * photos)

    def _append(self, code: bytes) -> None:
        if self.path:
            # One byte in append mode is whole or absent, also when several processes write. Without a descriptor left
            # the bar lags behind, but the job need not stop.
            with contextlib.suppress(OSError), open(self.path, "ab", buffering=0) as file:  # noqa: PTH123 (called once a photo)
                file.write(code)


SILENT = Ticker()


@dataclass
class _Reading:
    """What the file said so far; reads only what is new."""

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
        """The number of photos; None while they are listed."""
        return self.found if self.counts[_ALL_LISTED[0]] else None

    @property
    def done(self) -> int:
        return sum(self.counts[code[0]] for code in _CODES.values())

    @property
    def rejected(self) -> int:
        return self.counts[_CODES["rejected"][0]]

    @property
    def rate(self) -> str:
        """Photos a second, a minute or an hour in words; '' before it can be told."""
        rate = self._pace.rate(time.monotonic())
        return "" if rate is None else words.rate(rate)

    @property
    def left(self) -> str:
        """The time that is left, in words; '' before it can be told."""
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
        # What others write to standard error is set aside; rich would print it above the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _fields(reading: _Reading) -> dict[str, Any]:
    """What a bar shows beside itself."""
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
    total = "?" if reading.total is None else f"{reading.total:,}"
    parts = [f"{reading.done:,} of {total} photos", reading.rate, f"{reading.rejected:,} rejected", reading.left]
    return f"{verb}: {', '.join(filter(None, parts))}"


def _last_line(verb: str, reading: _Reading) -> str:
    total = reading.found if reading.total is None else reading.total
    return f"{verb}: {reading.done:,} of {total:,} photos in {time.monotonic() - reading.started:,.0f} s"


@contextlib.contextmanager
def watched(verb: str, *, enabled: bool) -> Iterator[Ticker]:
    """Shows progress on standard error while the block runs.

    Args:
        verb: what is done to the photos, such as ``preparing``.
        enabled: False for runners whose workers are on other machines.

    Yields:
        the ticker to hand to the job.
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
    """Standard error on a descriptor of its own, as the run sets the common one aside."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w")
    except io.UnsupportedOperation:  # replaced by something that is not a file, which nothing sets aside
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
