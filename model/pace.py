"""The pace of training: what calls of the step function took, and how many steps the next one should make."""

from __future__ import annotations

import dataclasses

# Several steps run in one call where they are short; a call should take about this long.
CALL_SECONDS = 0.5
MOST_STEPS_A_CALL = 100
VALIDATION = 1 / 2
"""Time of a batch of validation, as a part of that of a step, until one was measured; on the safe side."""


@dataclasses.dataclass(kw_only=True)
class Pace:
    """What the calls of the step function since the last report took and gave."""

    steps: int = 0
    loss: float = 0.0
    seconds: float = 0.0

    def add(self, steps: int, loss: float, seconds: float) -> None:
        """Count one call: its steps and the sum of their losses."""
        self.steps += steps
        self.loss += loss
        self.seconds += seconds

    @property
    def mean_loss(self) -> float:
        """Of all steps."""
        return self.loss / self.steps

    @property
    def seconds_a_step(self) -> float:
        """On average."""
        return self.seconds / self.steps


def steps_a_call(seconds_a_step: float) -> int:
    """Return how many steps fill `CALL_SECONDS`, from 1 to `MOST_STEPS_A_CALL`."""
    return max(1, min(MOST_STEPS_A_CALL, int(CALL_SECONDS / seconds_a_step)))


def steps_within(seconds_a_step: float, seconds: float) -> int:
    """Return how many steps fit into some seconds, at least 1."""
    return max(1, int(min(seconds / seconds_a_step, MOST_STEPS_A_CALL)))
