"""The lists of photos that `prepare` left out: ``rejected.jsonl``, or ``rejected-00000-of-00012.jsonl`` … for many."""

import re
from collections.abc import Iterator

from pipelines.files import storage
from pipelines.runtime.outcomes import REJECTED_FILE

SHARDS = "rejected-*.jsonl"
_SHARD = re.compile(r"rejected-\d{5,}-of-\d{5,}\.jsonl\Z")


def lists(output: str) -> Iterator[str]:
    """Yield the names of the lists of rejected photos in a folder."""
    return (name for name in storage.names(output) if name == REJECTED_FILE or _SHARD.match(name))


def photos(output: str) -> int | None:
    """Return the number of photos in all lists of a folder; None if there is no list.

    Raises:
        storage.io_errors, WorldError: a list cannot be read.
    """
    names = list(lists(output))
    total = 0
    for name in names:
        with storage.opened(storage.join(output, name)) as file:
            total += sum(1 for _ in file)
    return total if names else None
