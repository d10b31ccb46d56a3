"""Describe a set in ``dataset.json``: what the records contain, and which shards belong to it."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tfrecords.errors import UserError
from tfrecords.example import FEATURES, SPEC_VERSION
from tfrecords.shards import Shard
from tfrecords.statistics import Statistics

FILE_NAME = "dataset.json"
_FORMAT = "autochrome-lab"


@dataclass(frozen=True, kw_only=True)
class Description:
    """The contents of a data folder.

    Attributes:
        size: side of the stored pictures, in pixels.
        splits: the shards of each split, in order of name.
        settings: what ``prepare`` was told that shapes the records.
        outcomes: inputs by outcome: ``written`` and each reason of rejection; they add up to the inputs.
        sources: ``photos``, how many inputs there were, and the ``fingerprint`` of names, sizes and times of change.
        statistics: of each split: see ``tfrecords.statistics``.
        version: of the record's spec.
        features: each feature of a record and what it holds.
    """

    size: int
    splits: dict[str, list[Shard]]
    settings: dict[str, Any]
    outcomes: dict[str, int]
    sources: dict[str, Any] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)
    version: int = SPEC_VERSION
    features: dict[str, str] = field(default_factory=lambda: dict(FEATURES))

    def count(self, split: str) -> int:
        """Return the number of records in a split."""
        return sum(shard.count for shard in self.splits.get(split, []))

    @property
    def fingerprint(self) -> str:
        """Hex sha256 of what the records are: size, spec version, and every shard's checksum."""
        identity = [
            self.version,
            self.size,
            {split: [asdict(s) for s in shards] for split, shards in self.splits.items()},
        ]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of ``dataset.json``; equal descriptions give equal text."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def of_folder(cls, data_dir: str, data: bytes | None) -> Self:
        """Read the bytes of a folder's ``dataset.json``; None where it has none.

        Raises:
            UserError: there is none, it is not such a description, or it has another spec version.
        """
        if data is None:
            raise UserError(f"{data_dir} has no {FILE_NAME}; make the set with `autochrome prepare`")
        return cls.from_json(data.decode(errors="replace"), f"{data_dir.rstrip('/')}/{FILE_NAME}")

    @classmethod
    def from_json(cls, text: str, source: str = FILE_NAME) -> Self:
        """Read the text of ``dataset.json``.

        Raises:
            UserError: the text, called ``source`` in the message, is not a description, or has another spec version.
        """
        try:
            fields = json.loads(text)
            if fields.pop("format") != _FORMAT:
                raise KeyError("format")
            splits = {split: [Shard(**shard) for shard in shards] for split, shards in fields.pop("splits").items()}
            description = cls(splits=splits, **fields)
            description._check()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"{source} does not describe a set of Lab records; make it with `autochrome prepare`"
            ) from error
        if description.version != SPEC_VERSION:
            raise UserError(
                f"{source} has records of spec version {description.version}, this program reads {SPEC_VERSION}; "
                "prepare the set again"
            )
        return description

    def _check(self) -> None:
        """Raise TypeError, KeyError or ValueError if a field has another type than `to_json` writes."""
        shards = [shard for some in self.splits.values() for shard in some]
        for shard in shards:
            if not isinstance(shard.name, str) or not shard.name or "/" in shard.name:
                raise ValueError(f"not the name of a shard: {shard.name!r}")
        numbers = [number for shard in shards for number in (shard.count, shard.bytes, shard.crc32c)]
        for number in (self.size, self.version, *numbers, *self.outcomes.values()):
            if type(number) is not int or number < 0:
                raise TypeError(f"not a number: {number!r}")
        if not self.size or not isinstance(self.settings, dict) or not isinstance(self.sources, dict):
            raise TypeError("a field has another type")
        for one in self.statistics.values():
            Statistics.from_dict(one)


def is_description(text: str) -> bool:
    """Return whether a text describes a set of Lab records, of any spec version."""
    try:
        return bool(json.loads(text)["format"] == _FORMAT)
    except (KeyError, TypeError, ValueError):
        return False
