"""How training and evaluation are shown: a bar on a terminal, a line about every 10 seconds elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator

from model.terminal import printable, say, started

_LINE_EVERY_S = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """How training stands.

    Attributes:
        step, steps: optimizer steps done and to do (a time limit may come first).
        epoch, epochs: passes over the data, done (with fraction) and to do.
        loss: mean over the examples since the last report; None before the first.
        images_per_s: training speed since the last report, validation left out; None before the first.
        seconds: training time so far, over all runs.
        limit_s: the time limit, if any.
        validation_loss: mean over the validation examples, where it was measured at this step.
        resumed: whether an earlier run's checkpoint was continued.
        torn: paths of newer checkpoints that could not be read.
    """

    step: int
    steps: int
    epoch: float
    epochs: int
    loss: float | None
    images_per_s: float | None
    seconds: float
    limit_s: float | None
    validation_loss: float | None
    resumed: bool
    torn: tuple[str, ...] = ()


@contextlib.contextmanager
def shown() -> Iterator[Callable[[Report], None]]:
    """Yield what shows a `Report` on stderr, as its kind allows."""
    if not sys.stderr.isatty():
        yield lambda report: say(line(report), file=sys.stderr)
        return
    started()
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=None), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(report: Report) -> None:
            if report.validation_loss is not None:
                bar.console.print(printable(f"epoch {report.epoch:.2f}  validation loss {report.validation_loss:.5f}"))
            brief = dataclasses.replace(report, validation_loss=None)
            bar.update(task, completed=fraction(report), description=line(brief))

        yield show


@contextlib.contextmanager
def counted(verb: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what shows on stderr how many of the images are done.

    Args:
        verb: what is done to them, such as ``scoring``.
        total: number of images.
    """
    begun = said = time.monotonic()

    def text(done: int) -> str:
        rate = done / max(time.monotonic() - begun, 1e-9)
        parts = [f"{verb} {done:,}/{total:,}", f"{rate:,.1f} images/s"]
        return "  ".join([*parts, _left((total - done) / rate)] if 0 < done < total else parts)

    if sys.stderr.isatty():
        started()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (BarColumn(bar_width=None), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True), expand=True, transient=True) as bar:
            task = bar.add_task(verb, total=total)
            yield lambda done: bar.update(task, completed=done, description=text(done))
        return

    def show(done: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _LINE_EVERY_S:
            said = time.monotonic()
            say(text(done), file=sys.stderr)

    yield show


def fraction(report: Report) -> float:
    """Return how much of the training is done, in [0, 1], by steps or by the time limit, whichever ends first."""
    by_time = report.seconds / report.limit_s if report.limit_s else 0.0
    return min(1.0, max(report.step / report.steps, by_time))


def line(report: Report) -> str:
    """Return a report as one line: epoch, step, loss, images/s, time left.

    The time of the first step is mostly that of compiling: no speed follows from it, and no time left but of a limit.
    """
    parts = [f"epoch {report.epoch:.2f}/{report.epochs}", f"step {report.step}/{report.steps}"]
    if report.loss is not None:
        parts.append(f"loss {report.loss:.5f}")
    if report.validation_loss is not None:
        parts.append(f"validation {report.validation_loss:.5f}")
    if report.images_per_s is not None and report.step > 1:
        parts.append(f"{report.images_per_s:.1f} images/s")
    if report.loss is None and report.resumed:
        parts.append("resumed")
        parts += [f"{path} is torn, the checkpoint before it was used" for path in report.torn]
    done = fraction(report)
    if 0 < done < 1 and (report.step > 1 or done > report.step / report.steps):
        parts.append(_left(report.seconds / done - report.seconds))
    return "  ".join(parts)


def _left(seconds: float) -> str:
    left = round(seconds)
    return f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
