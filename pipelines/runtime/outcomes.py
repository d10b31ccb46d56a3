"""Record one outcome for every input, count outcomes, print them as a table, and list the rejected inputs."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from model.terminal import printable, say, show

if TYPE_CHECKING:
    from rich.console import Console

Status = Literal["written", "kept", "copied", "skipped", "ignored", "rejected"]
DONE: tuple[Status, ...] = ("written", "kept", "copied", "skipped", "ignored")
REJECTED_FILE = "rejected.jsonl"
REJECTED_IN_ONE_FILE = 100_000
"""Rejected photos that fit into ``rejected.jsonl``, about 30 MB; more are in shards."""
REASONS = (
    *("unreadable", "missing", "linked_folder", "camera_raw", "decoders_disagree", "too_large", "timed_out", "crashed"),
    *("out_of_memory", "unwritable", "failed", "bad_hint", "disallowed", "throttled"),
)
"""Reasons of rejections that `colorize` gives; `docs/outcomes.md` explains them."""
RETRIED = ("timed_out", "out_of_memory", "crashed", "unwritable", "missing", "throttled", "bad_hint")
"""Reasons of rejections that may not occur in another run of `colorize`."""


@dataclass(frozen=True, order=True, kw_only=True)
class Outcome:
    """The result for one input.

    Attributes:
        name: of the input, relative to ``--input``.
        status: ``written``; ``kept`` because it was there; ``copied`` or ``skipped`` because it is in colour;
            ``ignored`` because it is not a photo by its name; or ``rejected``.
        reason: code of a rejection, else ''.
        detail: of a rejection, as a readable message, else ''.
        uri: of the input.
    """

    name: str
    status: Status
    reason: str = ""
    detail: str = ""
    uri: str = ""

    @property
    def key(self) -> str:
        """The name that it is counted under: the reason of a rejection, else the status."""
        return self.reason or self.status


def count(outcome: Outcome) -> None:
    """Add one outcome to the job's Beam counters."""
    # Imported here, because the processes that decode photos use outcomes but start without Beam.
    from apache_beam.metrics import Metrics

    Metrics.counter("autochrome", outcome.key).inc()


def tally(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return the number of inputs by outcome; the values add up to the number of outcomes."""
    return dict(sorted(Counter(outcome.key for outcome in outcomes).items()))


def nothing_made(counts: Mapping[str, int]) -> str:
    """Return a line that says that every photo of a run was rejected; '' if there is any other.

    Args:
        counts: number of inputs by outcome.
    """
    done = sum(number for key, number in counts.items() if key in DONE and key != "ignored")
    rejected = sum(number for key, number in counts.items() if key not in DONE)
    if done or not rejected:
        return ""
    return "nothing was made: " + (
        "the only photo was rejected" if rejected == 1 else f"all {rejected:,} photos were rejected"
    )


def to_jsonl(outcomes: Iterable[Outcome]) -> bytes:
    """Return outcomes as JSON Lines in UTF-8, sorted by name."""
    lines = "".join(json.dumps(asdict(o), ensure_ascii=False) + "\n" for o in sorted(outcomes))
    # A file name that is not UTF-8 has surrogates; their backslash form is valid JSON too.
    return lines.encode(errors="backslashreplace")


def print_table(title: str, counts: dict[str, int], console: "Console") -> None:
    """Print the number of inputs by outcome and the total; rejections come last."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, show_footer=True, pad_edge=False)
    table.add_column("outcome", footer="inputs")
    table.add_column("photos", justify="right", footer=f"{sum(counts.values()):,}")
    done: dict[str, int] = {key: counts.get(key, 0) for key in DONE if counts.get(key) or key == "written"}
    for status, number in done.items():
        table.add_row(status, f"{number:,}")
    for key, number in counts.items():
        if key not in done:
            table.add_row(Text(printable(f"rejected: {key}")), f"{number:,}")
    say(title, file=console.file)
    show(table, console)
