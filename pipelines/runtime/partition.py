"""One of n parts of a job, for several runs that share an output."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Partition:
    """One of ``total`` parts of the photos; ``index`` is from 1 to ``total``."""

    index: int = 1
    total: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.total}"

    def has(self, key: bytes | int) -> bool:
        """Return whether the partition has what a key stands for, such as a hash or an index."""
        number = key if isinstance(key, int) else int.from_bytes(key)
        return number % self.total == self.index - 1


WHOLE = Partition()
