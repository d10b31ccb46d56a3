"""Sets of ids of pictures that take eight bytes each: a folder of 10 million photos has 20 million pictures."""

from array import array
from collections.abc import Iterable

import numpy as np

_DIGITS = 16  # of 20; that two of 20 million ids agree in them has a probability of 1 in 90,000


class Ids:
    """A set of ids that does not change."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        """Collect ids, which are hexadecimal numbers of 20 digits."""
        self._sorted = np.unique(np.array(array("Q", (int(id_[:_DIGITS], 16) for id_ in ids)), np.uint64))

    def __contains__(self, id_: object) -> bool:
        wanted = np.uint64(int(str(id_)[:_DIGITS], 16))
        place = int(np.searchsorted(self._sorted, wanted))
        return place < len(self._sorted) and bool(self._sorted[place] == wanted)

    def __len__(self) -> int:
        return len(self._sorted)

    def __or__(self, others: Iterable[str]) -> "Ids":
        made = Ids()
        made._sorted = np.union1d(self._sorted, Ids(others)._sorted)
        return made

    def missing_from(self, others: "Ids") -> int:
        """Return the number of these ids that are not among others."""
        return int(len(self) - np.isin(self._sorted, others._sorted, assume_unique=True).sum())
