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
from datetime import timedelta
from typing import IO, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from model.terminal import printable, say
from pipelines.notices import Mailbox
from pipelines.runtime.outcomes import Status

_LISTED = b"."
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
        self.counted_from: int | None = None
        self.started = time.monotonic()

    def update(self) -> None:
        self.counts.update(self.file.read())
        if self.counted_from is None and self.done:
            # Listing and the start of the workers are not part of the rate.
            self.counted_from = self.done
            self.started = time.monotonic()

    @property
    def total(self) -> int:
        return self.counts[_LISTED[0]]

    @property
    def done(self) -> int:
        return sum(self.counts[code[0]] for code in _CODES.values())

    @property
    def rejected(self) -> int:
        return self.counts[_CODES["rejected"][0]]

    @property
    def rate(self) -> float:
        """Photos a second since the first ones; 0 before it can be told."""
        elapsed = time.monotonic() - self.started
        return 0.0 if self.counted_from is None or elapsed < 1 else (self.done - self.counted_from) / elapsed


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rejected]} rejected"),
        console=console,
        # What others write to standard error is set aside; rich would print it above the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _line(verb: str, reading: _Reading) -> str:
    said = [f"{reading.done:,} of {reading.total:,} photos", f"{reading.rejected:,} rejected"]
    if reading.rate:
        said.insert(1, f"{reading.rate:.1f}/s")
        if left := reading.total - reading.done:
            said.append(f"{timedelta(seconds=round(left / reading.rate))} left")
    return f"{verb}: {', '.join(said)}"


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
    stream = _own_stderr()
    console = Console(file=stream)
    show = _show_bar if console.is_terminal else _show_lines
    with tempfile.NamedTemporaryFile(prefix="autochrome-progress-") as file, Mailbox() as mailbox:
        finished = threading.Event()
        watcher = threading.Thread(
            target=show,
            args=(verb, _Reading(file.file), finished, console, mailbox),
            daemon=True,
        )
        watcher.start()
        try:
            yield Ticker(file.name)
        finally:
            finished.set()
            watcher.join()
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
        task: TaskID = bar.add_task(verb, total=None, rate="", rejected=0)
        while True:
            last = finished.wait(_LOOK_EVERY_S)
            reading.update()
            for line in mailbox.news():
                bar.console.print(printable(f"autochrome: {line}"), soft_wrap=True, highlight=False, markup=False)
            bar.update(
                task,
                total=reading.total or None,
                completed=reading.done,
                rate=f"{reading.rate:.1f}/s" if reading.rate else "",
                rejected=reading.rejected,
            )
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
        if time.monotonic() - said >= _LINE_EVERY_S and reading.done and not last:
            said = time.monotonic()
            say(_line(verb, reading), file=console.file)
