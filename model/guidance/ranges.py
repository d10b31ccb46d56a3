"""The values that people may give for guidance, for the command line and for Python alike. Imports no arrays."""

import math

RANGES: dict[str, tuple[float, float]] = {"saturation": (0, 4), "hint_reach": (0, 1), "palette_strength": (0, 1)}
"""The least and the most of each value."""
METHODS = {"network": 0.1, "blend": 0.3, "optimise": 0.3}
"""The ways to spread hints, and how far they reach in each by default: where they weigh as much as the prediction, as a
share of the longer side. The prediction of a network that takes hints has spread them already."""


def best_method(*, takes_hints: bool) -> str:
    """Return how hints are spread by default, with a model that takes hints or one that does not."""
    return "network" if takes_hints else "blend"


def holds(name: str, value: float) -> bool:
    """Return whether a value is within its range."""
    least, most = RANGES[name]
    return math.isfinite(value) and least <= value <= most


def told(name: str) -> str:
    """Return the range of a value, for messages."""
    least, most = RANGES[name]
    return f"a number from {least:g} to {most:g}"


def check(name: str, value: float) -> None:
    """Check a value.

    Raises:
        ValueError: it is out of range, or not a number.
    """
    if not holds(name, value):
        raise ValueError(f"{name} must be {told(name)}, not {value}")
