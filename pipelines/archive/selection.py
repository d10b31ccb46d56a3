"""Choose a part of the photos for a trial."""

from dataclasses import dataclass

from pipelines.files.hashes import stable_hash


@dataclass(frozen=True)
class Selection:
    """A part of the photos, for a trial. Only one of the two may be set.

    Attributes:
        limit: number of photos, the first by name; 0 for all.
        sample: number of photos, chosen by a hash of the name, so that a larger sample includes a smaller one; 0 for
            all.
    """

    limit: int = 0
    sample: int = 0

    @property
    def size(self) -> int:
        """The number of photos; 0 for all."""
        return self.limit or self.sample

    def rank(self, name: str) -> bytes:
        """Return the rank of a photo; those with the lowest ranks are chosen."""
        return name.encode("utf-8", "surrogateescape") if self.limit else stable_hash(name, "sample", size=16)


ALL = Selection()
