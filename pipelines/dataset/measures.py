"""Collect what the job measures: threads that Beam does not know cannot add to its metrics themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from time import perf_counter

from apache_beam.metrics import Metrics
from apache_beam.metrics.metricbase import Distribution

from pipelines.runtime import outcomes
from pipelines.runtime.outcomes import Outcome


class Measures:
    """Values of the job's distributions, and outcomes of photos."""

    def __init__(self) -> None:
        self._values: list[tuple[str, int]] = []
        self._outcomes: list[Outcome] = []

    def add(self, name: str, value: int) -> None:
        """Add a value to the distribution of that name."""
        self._values.append((name, value))

    def add_times(self, milliseconds: Mapping[str, float]) -> None:
        """Add times by stage to the distributions of the stages, in microseconds."""
        for name, value in milliseconds.items():
            self.add(f"{name}_microseconds", round(1e3 * value))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to the distribution of that stage."""
        started = perf_counter()
        try:
            yield
        finally:
            self.add_times({name: 1e3 * (perf_counter() - started)})

    def add_outcome(self, outcome: Outcome) -> None:
        """Add the outcome of a photo."""
        self._outcomes.append(outcome)

    def count(self) -> None:
        """Add everything to Beam's metrics; only a thread of Beam's may do so."""
        for name, value in self._values:
            _distribution(name).update(value)
        for outcome in self._outcomes:
            outcomes.count(outcome)
        self._values.clear()
        self._outcomes.clear()


@cache
def _distribution(name: str) -> Distribution:
    """Return Beam's distribution of that name; cached, because creating it costs more than updating it."""
    return Metrics.distribution("autochrome", name)
