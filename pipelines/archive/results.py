"""What a run did: for one photo, and for all of them together."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pipelines.archive.manifest import STAGES, Record


class Result(NamedTuple):
    """A record, and what this run did for it.

    Attributes:
        record: of the photo.
        now: whether this run made it, or an earlier one.
        replaced: files that had another version before.
        removed: files of earlier runs that are gone.
    """

    record: Record
    now: bool
    replaced: int = 0
    removed: int = 0


@dataclass(frozen=True)
class Effort:
    """What a run did; differs from run to run.

    Attributes:
        made: photos that this run made, or tried to; with ``found`` they add up to the inputs.
        left_out: those of ``made`` that got no file: rejected, or skipped as they are in colour.
        found: photos that were done before, those kept included.
        kept: photos whose files this run left although it would have made others, see `pipelines.archive.manifest`.
        replaced: files that had another version before.
        removed: files of earlier runs that this run removed.
        pixels: of the files made.
        milliseconds: of all of them together, by stage.
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
        """That of one photo."""
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
            self.made + other.made,
            self.left_out + other.left_out,
            self.found + other.found,
            self.kept + other.kept,
            self.replaced + other.replaced,
            self.removed + other.removed,
            self.pixels + other.pixels,
            tuple(a + b for a, b in zip(self.milliseconds, other.milliseconds, strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "milliseconds": {s: round(ms, 1) for s, ms in zip(STAGES, self.milliseconds, strict=True)},
        }
