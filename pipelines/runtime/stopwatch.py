"""Measure the milliseconds that a photo spends in each stage."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Milliseconds by stage; the time of an inner stage is not counted in the outer one."""

    def __init__(self) -> None:
        self.milliseconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        started, before = perf_counter(), sum(self.milliseconds.values())
        try:
            yield
        finally:
            inner = sum(self.milliseconds.values()) - before
            self.milliseconds[name] += 1e3 * (perf_counter() - started) - inner
