"""Claim an output folder for a run: a stopped run continues where it was, and a different run is refused.

A run first writes its settings and sources to the folder, or compares them with those that it finds there. If they are
equal, finished shards count. If they differ, the run ends with a line that names the difference, unless it was told to
clear the folder.

A runner may repeat a step, or start the whole job again. So a run that clears the folder leaves its number there and
does not clear it a second time, which would delete its own finished shards.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import apache_beam as beam

from pipelines.files import local_writes, locked_files, storage
from pipelines.files.hashes import stable_hash
from pipelines.files.sources import Source
from tfrecords.errors import UserError
from tfrecords.words import counted


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The contents of an input, as far as two runs must agree on them.

    Attributes:
        photos: their number.
        fingerprint: of all names, sizes and modification times, independent of their order; hex.
        identity: of all names and sizes; hex. '' if an earlier version listed them.
    """

    photos: int
    fingerprint: str
    identity: str = ""

    def is_like(self, other: Self) -> bool:
        """Return whether another listing may be of the same photos, which were copied or touched in between."""
        is_same = self.fingerprint == other.fingerprint or (bool(self.identity) and self.identity == other.identity)
        return self.photos == other.photos and is_same


@dataclass(frozen=True)
class Claim:
    """What a run is going to do: its settings, and the sources that it found."""

    settings: dict[str, Any]
    sources: Listing

    def to_json(self) -> str:
        """Return JSON text; equal claims give equal text."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the claim that `to_json` wrote; ValueError, KeyError or TypeError for anything else."""
        fields = json.loads(text)
        return cls(fields["settings"], Listing(**fields["sources"]))

    def difference(self, other: Self) -> str:
        """Return how this claim differs from an earlier one, as readable text; '' if they are equal.

        Photos of the same names and sizes count as equal: each shard finds out whether they are
        (`pipelines.dataset.shard_writer`).
        """
        said = [
            f"{name} was {other.settings.get(name)}, now {value}"
            for name, value in self.settings.items()
            if other.settings.get(name) != value
        ]
        if self.sources.photos != other.sources.photos:
            were = "was" if other.sources.photos == 1 else "were"
            said.append(f"there {were} {counted(other.sources.photos, 'photo')}, now {self.sources.photos:,}")
        elif not self.sources.is_like(other.sources):
            said.append("photos were changed, renamed or replaced")
        return "; ".join(said)


# Beam's integers are signed and have 64 bits, so a fingerprint consists of two numbers below this.
_MODULUS = 1 << 62


def fingerprint(source: Source) -> bytes:
    """Return 16 bytes that represent the name and content of one source, as far as a listing shows them."""
    return stable_hash(f"{source.name}\0{source.fingerprint}", size=16)


def identity(source: Source) -> bytes:
    """Return 16 bytes that represent the name and size of one source."""
    return stable_hash(f"{source.name}\0{source.size}\0{source.fault}", "identity", size=16)


class Summarize(beam.PTransform):
    """PCollection of Source → its one Listing."""

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Listing]:
        """Sum the fingerprints, so that the order of the listing does not matter."""
        return photos | "Fingerprint" >> beam.Map(_one) | "Sum" >> beam.CombineGlobally(_sum) | beam.Map(_listing)


_Sum = tuple[int, ...]
"""The number of sources, and two numbers each of their fingerprints and identities."""


def _one(source: Source) -> _Sum:
    told = fingerprint(source) + identity(source)
    return 1, *(int.from_bytes(told[start : start + 8]) % _MODULUS for start in range(0, len(told), 8))


def _sum(sums: Iterable[_Sum]) -> _Sum:
    total: _Sum = (0, 0, 0, 0, 0)
    for one in sums:
        total = (total[0] + one[0], *((a + b) % _MODULUS for a, b in zip(total[1:], one[1:], strict=True)))
    return total


def _listing(summed: _Sum) -> Listing:
    photos, *parts = (f"{number:016x}" for number in summed)
    return Listing(photos=int(photos, 16), fingerprint=parts[0] + parts[1], identity=parts[2] + parts[3])


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """How a run clears its folder, once.

    Attributes:
        run: a number that no other run has.
        marker: path of a file that says which run cleared the folder; removed when the run has ended.
        clear: removes everything that earlier runs left, except their claim.
    """

    run: str
    marker: str
    clear: Callable[[], None]

    def is_done(self) -> bool:
        """Return whether this run has already cleared the folder."""
        return storage.read_if_there(self.marker) == self._told

    def carry_out(self, claim: str) -> None:
        """Clear the folder, then remove the claim at that path."""
        self.clear()
        # The claim is removed last: shards of another run must never exist under this run's claim, or without one.
        storage.remove([claim])
        storage.write(self.marker, self._told)

    @property
    def _told(self) -> bytes:
        return f"{self.run}\n".encode()


ADVICE = "choose another --output, or replace it with --overwrite"


def stake(path: str, claim: Claim, *, clearing: Clearing | None = None, advice: str = ADVICE) -> None:
    """Write a claim if there is none, else compare it with the existing one. If several runs start at once, one writes.

    Args:
        path: of the claim.
        claim: of this run.
        clearing: how to clear the folder first; None to continue what earlier runs left.
        advice: what to do if the claims differ.

    Raises:
        UserError: the folder belongs to a run with other settings or sources, and is not to be cleared; or such a run
            claimed it just after it was cleared; or the claim is damaged and in a bucket.
    """
    # Photos may have changed before a runner starts a job again; the shards of the first start are then useless.
    if clearing is not None and not (clearing.is_done() and _read(path) in (None, claim)):
        clearing.carry_out(path)
    text = claim.to_json().encode()
    while (there := _read(path)) is None:
        if storage.create(path, text):
            return
        if storage.is_remote(path):
            # Objects are written whole or not at all: another run has just written it, or it is not a claim of ours.
            there = _read(path)
            if there is None:
                raise UserError(f"{path} is damaged; delete it and start again: finished shards are kept")
            break
        # If several runs find it damaged, one rewrites it and the others find the new one.
        repair = partial(locked_files.repair, Path(path), text, is_whole=lambda data: _parsed(data) is not None)
        local_writes.patiently(path, repair)
    if difference := claim.difference(there):
        raise UserError(f"{path} belongs to another run ({difference}); {advice}")


def _read(path: str) -> Claim | None:
    """Return the existing claim; None if there is none, or a damaged one."""
    data = storage.read_if_there(path)
    return None if data is None else _parsed(data)


def _parsed(data: bytes) -> Claim | None:
    try:
        return Claim.from_json(data.decode())
    except (ValueError, KeyError, TypeError):
        return None
