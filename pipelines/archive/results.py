"""The result of a run: for one photo, and summed over all photos."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pipelines.archive.manifest import STAGES, Record


class Result(NamedTuple):
    """A record, and what this run did for it.

    Attributes:
        record: of the photo.
        now: whether this run made it, and not an earlier one.
        replaced: number of files that replaced a different version.
        removed: number of files of earlier runs that were removed.
    """

    record: Record
    now: bool
    replaced: int = 0
    removed: int = 0


@dataclass(frozen=True, kw_only=True)
class Effort:
    """The work of a run, which differs between runs.

    Attributes:
        made: photos that this run made or tried to make; with ``found`` they add up to the inputs.
        left_out: those of ``made`` without a file: rejected, or skipped because they are in colour.
        found: photos that were done before, including kept ones.
        kept: photos whose files were left although this run would have made others, see `pipelines.archive.manifest`.
        replaced: files that replaced a different version.
        removed: files of earlier runs that this run removed.
        pixels: of the files that were made.
        milliseconds: by stage, summed over all photos.
    """

    made: int = 0
    left_out: int = 0
    found: int = 0
    kept: int = 0
    replaced: int = 0
    removed: int = 0
    pixels: int = 0
    milliseconds: tuple[float, ...] = (0.0,) * len(STAGES)

    @classmethod
    def of(cls, made: Result) -> "Effort":
        """Return the work for one photo."""
        kept = made.record.status == "kept"
        if kept or not made.now:
            return cls(found=1, kept=int(kept), removed=made.removed)
        pixels = sum(output.width * output.height for output in made.record.outputs)
        milliseconds = tuple(made.record.milliseconds.get(stage, 0.0) for stage in STAGES)
        return cls(
            made=1,
            left_out=int(not made.record.outputs),
            replaced=made.replaced,
            removed=made.removed,
            pixels=pixels,
            milliseconds=milliseconds,
        )

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(
            made=self.made + other.made,
            left_out=self.left_out + other.left_out,
            found=self.found + other.found,
            kept=self.kept + other.kept,
            replaced=self.replaced + other.replaced,
            removed=self.removed + other.removed,
            pixels=self.pixels + other.pixels,
            milliseconds=tuple(a + b for a, b in zip(self.milliseconds, other.milliseconds, strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            **asdict(self),
            "milliseconds": {s: round(ms, 1) for s, ms in zip(STAGES, self.milliseconds, strict=True)},
        }
