"""What became of every input: one outcome each, counted, tabled, and the rejected ones written down."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from model.terminal import printable, say

if TYPE_CHECKING:
    from rich.console import Console

Status = Literal["written", "kept", "copied", "skipped", "rejected"]
DONE: tuple[Status, ...] = ("written", "kept", "copied", "skipped")
REJECTED_FILE = "rejected.jsonl"


@dataclass(frozen=True, order=True)
class Outcome:
    """What became of one input.

    Attributes:
        name: of the input, relative to ``--input``.
        status: written; kept as it was there; copied or skipped as it was in colour; or rejected.
        reason: code of a rejection, else ''.
        detail: of a rejection, for people, else ''.
        uri: the input itself.
    """

    name: str
    status: Status
    reason: str = ""
    detail: str = ""
    uri: str = ""

    @property
    def key(self) -> str:
        """Under which it is counted: the reason of a rejection, else the status."""
        return self.reason or self.status


def count(outcome: Outcome) -> None:
    """Adds one outcome to the job's Beam counters."""
    # Imported here: the processes that decode photos know outcomes, but start without Beam.
    from apache_beam.metrics import Metrics

    Metrics.counter("autochrome", outcome.key).inc()


def tally(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Inputs by outcome; the values add up to the number of outcomes."""
    return dict(sorted(Counter(outcome.key for outcome in outcomes).items()))


def to_jsonl(outcomes: Iterable[Outcome]) -> bytes:
    """Outcomes as JSON Lines in order of name, UTF-8."""
    lines = "".join(json.dumps(asdict(o), ensure_ascii=False) + "\n" for o in sorted(outcomes))
    # A file name that is not UTF-8 has surrogates, whose backslash form is JSON's as well.
    return lines.encode(errors="backslashreplace")


def print_table(title: str, counts: dict[str, int], console: "Console") -> None:
    """Prints inputs by outcome and their sum; rejections stand below what was written."""
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
    console.print(table)
