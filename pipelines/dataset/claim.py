"""The claim of a run on its output folder: a stopped run goes on where it was, another run is refused.

A run that starts writes down what it is about to do, and compares it with what it finds written there. Where both are
equal, finished parts count; where they differ, the run ends with a line that says what differs, unless it was told to
clear the folder first.

A runner may repeat a step, or start the whole job again. So a run that clears the folder leaves its number there, and
does not clear it again: that would remove its own finished parts.
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


@dataclass(frozen=True)
class Listing:
    """What an input holds, as far as two runs must agree on it.

    Attributes:
        photos: how many.
        fingerprint: of all names, sizes and times of change together, whatever their order; hex.
    """

    photos: int
    fingerprint: str


@dataclass(frozen=True)
class Claim:
    """What a run is about to do: its settings, and what it found to do it to."""

    settings: dict[str, Any]
    sources: Listing

    def to_json(self) -> str:
        """Equal claims give equal text."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``; ValueError, KeyError or TypeError when it is no claim."""
        fields = json.loads(text)
        return cls(fields["settings"], Listing(**fields["sources"]))

    def difference(self, other: Self) -> str:
        """What is different about another claim, in words; '' when nothing is."""
        said = [
            f"{name} was {other.settings.get(name)}, is {value}"
            for name, value in self.settings.items()
            if other.settings.get(name) != value
        ]
        if self.sources.photos != other.sources.photos:
            said.append(f"there were {other.sources.photos:,} photos, are {self.sources.photos:,}")
        elif self.sources != other.sources:
            said.append("photos were changed, renamed or replaced")
        return "; ".join(said)


# Beam's integers have 64 bits with a sign, so a fingerprint is two numbers below this.
_MODULUS = 1 << 62


def fingerprint(source: Source) -> bytes:
    """16 bytes that stand for one source's name and content, as far as a listing tells."""
    return stable_hash(f"{source.name}\0{source.fingerprint}", size=16)


class Summarize(beam.PTransform):
    """PCollection of Source → its one Listing."""

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Listing]:
        """Sums fingerprints, which no order of listing changes."""
        return photos | "Fingerprint" >> beam.Map(_one) | "Sum" >> beam.CombineGlobally(_sum) | beam.Map(_listing)


_Sum = tuple[int, int, int]


def _one(source: Source) -> _Sum:
    told = fingerprint(source)
    return 1, int.from_bytes(told[:8]) % _MODULUS, int.from_bytes(told[8:]) % _MODULUS


def _sum(sums: Iterable[_Sum]) -> _Sum:
    photos, high, low = 0, 0, 0
    for one in sums:
        photos, high, low = photos + one[0], (high + one[1]) % _MODULUS, (low + one[2]) % _MODULUS
    return photos, high, low


def _listing(summed: _Sum) -> Listing:
    return Listing(summed[0], f"{summed[1]:016x}{summed[2]:016x}")


@dataclass(frozen=True)
class Clearing:
    """How a run clears its folder, once.

    Attributes:
        run: a number that no other run has.
        marker: path of a file that says which run cleared the folder; to be removed when the run has ended.
        clear: removes what earlier runs left, except their claim.
    """

    run: str
    marker: str
    clear: Callable[[], None]

    def is_done(self) -> bool:
        """Returns whether this run has cleared the folder."""
        return storage.read_if_there(self.marker) == self._told

    def carry_out(self, claim: str) -> None:
        """Clears the folder, the claim of that path included."""
        self.clear()
        # The claim goes last: parts of another run must never lie under this one's name, nor under none.
        storage.remove([claim])
        storage.write(self.marker, self._told)

    @property
    def _told(self) -> bytes:
        return f"{self.run}\n".encode()


def stake(path: str, claim: Claim, *, clearing: Clearing | None = None) -> None:
    """Writes a claim down where there is none, else compares the two. Of runs that start at once, one writes.

    Args:
        path: of the claim.
        claim: of this run.
        clearing: how to clear the folder first; None to go on with what earlier runs left.

    Raises:
        UserError: another run with other settings or sources has the folder, and it is not to be cleared; or it took
            the folder just after that was cleared.
    """
    # Photos may have changed before a runner starts a job again; then no part of the first start is of use.
    if clearing is not None and not (clearing.is_done() and _read(path) in (None, claim)):
        clearing.carry_out(path)
    text = claim.to_json().encode()
    while (there := _read(path)) is None:
        if storage.create(path, text):
            return
        if storage.is_remote(path):
            # Objects are written whole or not at all, so this is another run's that has just come, or no work of ours.
            there = _read(path)
            if there is None:
                raise UserError(f"{path} is damaged; remove it and start again: finished shards are kept")
            break
        # Of several runs that find it damaged one writes it again, and the others find that one's.
        repair = partial(locked_files.repair, Path(path), text, is_whole=lambda data: _parsed(data) is not None)
        local_writes.patiently(path, repair)
    if difference := claim.difference(there):
        raise UserError(
            f"{path} belongs to another run ({difference}); choose another --output, or replace it with --overwrite"
        )


def _read(path: str) -> Claim | None:
    """The claim that is written down; None where there is none, or a damaged one."""
    data = storage.read_if_there(path)
    return None if data is None else _parsed(data)


def _parsed(data: bytes) -> Claim | None:
    try:
        return Claim.from_json(data.decode())
    except (ValueError, KeyError, TypeError):
        return None
