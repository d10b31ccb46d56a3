"""Runs that want a lease at the same moment."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.archive.lease import Lease
from tfrecords.errors import UserError


def winner_of(runs: Sequence[Lease]) -> Lease:
    """Has all runs take their lease at once; returns the only one that got it."""
    together = threading.Barrier(len(runs))

    def start(one: Lease) -> bool:
        together.wait()
        try:
            one.take()
        except UserError:
            return False
        return True

    with ThreadPoolExecutor(len(runs)) as pool:
        (winner,) = [one for one, taken in zip(runs, pool.map(start, runs), strict=True) if taken]
    return winner
