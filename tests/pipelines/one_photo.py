"""One photo of an archive, its output folder, and what a manifest and a journal would hold of it; without a model."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.archive import upkeep
from pipelines.archive.attempt import blank
from pipelines.archive.context import Save
from pipelines.archive.manifest import Output, Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import Listed, Policy, Task, tasks
from pipelines.files import contents, marks
from pipelines.files.sources import Source

RETOUCHED = b"retouched by somebody"


def recipe(run: int, **fields: str) -> Recipe:
    made_with = Settings(**fields)
    return Recipe(model="unet", model_digest="m1", settings=made_with, settings_digest=made_with.digest(), run=run)


RECIPES = {
    "keep": recipe(1),
    "better": recipe(2, digital_source_type="x"),
    "png": recipe(3, format="png"),
    "skip": recipe(4, on_color="skip"),
}


KEEP, BETTER, PNG, SKIP = (Policy(recipe=made_with) for made_with in RECIPES.values())


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Desk:
    """A photo in colour, its output folder, and what a manifest and a journal would hold of it."""

    folder: Path
    pages: int = 1
    broken: bool = False
    records: list[Record] = field(default_factory=list)
    source: Source = field(init=False)
    version: int = 0
    listings: int = 0

    def __post_init__(self) -> None:
        self.scan()

    def scan(self, *, touch: bool = False) -> None:
        """Puts another scan of the same size in the place of the source, or only a new time of change."""
        path = self.folder / "scans" / "a.jpg"
        path.parent.mkdir(exist_ok=True)
        if not touch:
            self.version += 1
            path.write_bytes(b"scan %02d" % self.version)
        # Counted, because the clock of a file system is too coarse to tell two writes of a test apart.
        self.listings += 1
        self.source = Source(uri=str(path), name="a.jpg", size=7, fingerprint=f"7-{self.listings}")

    def task(self, policy: Policy) -> Task:
        paths = [path for path in self.folder.iterdir() if path.is_file()]
        there = (Listed(name=p.name, bytes=p.stat().st_size, fingerprint=contents.fingerprint(str(p))) for p in paths)
        [task] = tasks([self.source], self.records, there, policy)
        return task

    def run(self, policy: Policy, *, dies: str = "") -> Record:
        """Returns the new record, which replaces all others as that of a shard does.

        Args:
            policy: of the run.
            dies: when the process is killed: ``before`` the files are written or ``after`` it.
        """
        task = self.task(policy)
        if task.is_done and task.existing is not None:
            self.records = [task.existing]
            return task.existing

        def announce(record: Record) -> None:
            self.records.append(replace(record, at=len(self.records), pending=True))
            if dies == "before":
                raise Killed

        made = upkeep.carry_out(task, policy, str(self.folder), self._making(task, policy, dies), announce)
        self.records = [made.record]
        return made.record

    def _making(self, task: Task, policy: Policy, dies: str) -> Callable[[Save], Record]:
        def make(save: Save) -> Record:
            digest = contents.sha256(task.named.source.read())
            record = replace(blank(task.named, policy.recipe), bytes=7, sha256=digest, format="JPEG")
            if self.broken:
                return replace(record, reason="unreadable")
            if policy.recipe.settings.on_color == "skip":
                return replace(record, status="skipped")
            files = self.files(policy.recipe, task)
            outputs = tuple(
                Output(
                    name=name,
                    page=page,
                    width=6,
                    height=4,
                    bytes=len(data),
                    sha256=hashlib.sha256(data).hexdigest(),
                    tone="color",
                    colourfulness=31.2,
                )
                for page, (name, data) in enumerate(files.items(), start=1)
            )
            saved = save(replace(record, status="written", outputs=outputs), files)
            if dies == "after":
                raise Killed
            return saved

        return make

    def files(self, made_with: Recipe, task: Task) -> dict[str, bytes]:
        """What a run makes of the photo: other bytes of another source, or with other settings."""
        file_format = "PNG" if made_with.settings.format == "png" else "JPEG"
        names = [task.named.output(file_format, index, self.pages) for index in range(self.pages)]
        return {name: f"{self.version} {made_with.settings_digest} {name}".encode() for name in names}

    def can_mark(self) -> bool:
        """Returns whether the folder's file system can mark files."""
        path = self.folder / "marked"
        path.touch()
        marks.write(str(path), 1, "0a")
        run = marks.read(str(path), "0a")
        path.unlink()
        return run == 1

    def unmark(self) -> None:
        """Makes the folder one of a file system that cannot mark files."""
        for path in self.folder.iterdir():
            for attribute in os.listxattr(path):
                os.removexattr(path, attribute)

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}

    def agrees(self, record: Record) -> bool:
        """Whether the files that a record names are there and have its digests."""
        there = self.contents()
        return all(contents.sha256(there[output.name]) == output.sha256 for output in record.outputs)
