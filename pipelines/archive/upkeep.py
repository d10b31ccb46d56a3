"""Carry out one task in the output: keep what somebody changed, make the rest, and remove old files."""

from collections.abc import Callable
from dataclasses import replace

from pipelines.archive import changes, leftovers, places
from pipelines.archive.context import Save
from pipelines.archive.manifest import Record
from pipelines.archive.places import OccupiedError
from pipelines.archive.results import Result
from pipelines.archive.resume import Policy, Task


def carry_out(
    task: Task,
    policy: Policy,
    output: str,
    make: Callable[[Save], Record],
    announce: Callable[[Record], None],
    check: Callable[[], None] = lambda: None,
) -> Result:
    """Process one photo.

    Args:
        task: a photo whose files need a check, or one to be made.
        policy: of the run.
        output: the folder.
        make: makes the photo, and passes its files to the function that it receives.
        announce: called with the record before any file is written.
        check: called before each file is written; an exception from it stops the write.

    Raises:
        Exception: any error from ``make`` or the storage.
    """
    if task.needs_source:
        task = changes.with_source(task)
        if task.is_done and task.existing is not None:
            return Result(task.existing, now=False)
    kept = changes.settled(task, policy, output)
    if kept is not None:
        if task.existing is None or not task.existing.pending:
            return Result(kept, now=False)
        # The run that wrote the files was killed before it removed others.
        record, removed = leftovers.settle(kept, task.files, output, keep=policy.keep_existing)
        return Result(record, now=False, removed=removed)
    saver = _Saver(task, policy, output, announce, check)
    record, removed = leftovers.settle(make(saver.save), task.files, output, keep=policy.keep_existing)
    return Result(record, True, saver.replaced, removed)


class _Saver:
    """Puts the files of one photo into the output.

    Attributes:
        replaced: number of files that replaced a different version.
    """

    def __init__(
        self, task: Task, policy: Policy, output: str, announce: Callable[[Record], None], check: Callable[[], None]
    ) -> None:
        self._ours = {file.name: file.digests for file in task.files}
        self._policy = policy
        self._output = output
        self._announce = announce
        self._check = check
        self.replaced = 0

    def save(self, record: Record, files: dict[str, bytes]) -> Record:
        try:
            placed = places.place(
                *(self._output, files, self._ours, self._policy.recipe.run),
                replace_changed=self._policy.replace_changed,
                announce=lambda: self._announce(record),
                check=self._check,
            )
        except OccupiedError as error:
            return changes.occupied(record, error.found)
        self.replaced = sum(one.replaced for one in placed.values())
        outputs = tuple(replace(one, fingerprint=placed[one.name].fingerprint) for one in record.outputs)
        return replace(record, outputs=outputs)
