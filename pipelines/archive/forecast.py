"""Predict what a run would do to the files of one photo, from listings, records and digests, without writing.

The format and the pages of a photo that was never made are unknown before it is decoded, so its extension is trusted
and one page is assumed. The record of a photo that was made before states both, and whether the photo is in colour.
"""

from dataclasses import dataclass, replace

from pipelines.archive import changes
from pipelines.archive.manifest import CHANGED, OCCUPIED, Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.resume import File, Policy, Task
from pipelines.files import contents, storage
from pipelines.images import formats

MAKE, KEEP, SKIP = "make", "keep", "skip"


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run would do to one photo.

    Attributes:
        action: ``make``, ``keep`` with the reason, or ``done before`` with the outcome.
        replaces: paths of files that would be replaced.
        removes: paths of files that would be removed.
        rule: the glob of the rule that the photo meets; '' for none.
        model: that the rule chooses, by the last part of its path, as models of one configuration have one name; '' for
            that of the run.
    """

    action: str
    replaces: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    rule: str = ""
    model: str = ""


def of(task: Task, policy: Policy, output: str) -> Forecast:
    """Return the forecast for a photo; files are read if their fingerprints differ from the recorded ones.

    Args:
        task: of the photo.
        policy: of the run.
        output: the folder.

    Raises:
        storage.io_errors, WorldError: a file cannot be read.
    """
    guidance = policy.recipe.plan.of(task.named.source.name)
    model = guidance.model.path.rstrip("/").rpartition("/")[2] if guidance.model else ""
    return replace(_of(task, policy, output, skips=guidance.skip), rule=guidance.rule, model=model)


def _of(task: Task, policy: Policy, output: str, *, skips: bool) -> Forecast:
    task = changes.with_source(task)
    if task.is_done and task.existing is not None:
        return Forecast(action=_kept_or_done(task.existing))
    settled = changes.settled(task, policy, output)
    if settled is not None:
        return Forecast(action=_kept_or_done(settled))
    names = [] if skips else expected(task, policy)
    # Changed files were handled above, so the files here that are not ours are in no record.
    ours = {file.name for file in task.files if _is_ours(file, task, output)}
    there = [name for name in names if any(file.name == name for file in task.files)]
    if not policy.replace_changed and not ours.issuperset(there):
        return Forecast(action=f"{KEEP}, {OCCUPIED}")
    removes = () if policy.keep_existing else tuple(sorted(ours.difference(names)))
    return Forecast(action=SKIP if skips else MAKE, replaces=tuple(there), removes=removes)


def _kept_or_done(record: Record) -> str:
    if record.status != "kept":
        return f"done before: {record.key}"
    if record.was_changed:
        return f"{KEEP}, {CHANGED.replace('_', ' ')}"
    return f"{KEEP}, {OCCUPIED}" if OCCUPIED in record.warnings else KEEP


def expected(task: Task, policy: Policy) -> list[str]:
    """Return the paths, relative to the output, of the files that a photo would get; [] if it would be skipped."""
    named, settings = task.named, policy.recipe.settings
    record = task.existing or task.earlier
    if record is None or record.fingerprint != named.source.fingerprint or not record.format:
        return [named.output(formats.output_format(settings.format, _guessed(named)))]
    if settings.on_color != "recolor" and record.outputs and all(one.tone == "color" for one in record.outputs):
        return [named.copy(record.format)] if settings.on_color == "copy" else []
    if settings.on_color == "skip" and record.status in ("skipped", "copied"):
        return []
    file_format = formats.output_format(settings.format, record.format)
    count = max(1, len(record.outputs))
    return list(dict.fromkeys(named.output(file_format, index, count) for index in range(count)))


def _guessed(named: NamedSource) -> str:
    return (formats.format_of(named.source.name) or "").upper()


def _is_ours(file: File, task: Task, output: str) -> bool:
    record = task.existing or task.earlier
    outputs = record.outputs if record and record.model_digest else ()
    if any(one.name == file.name and one.fingerprint == file.fingerprint and not one.was_changed for one in outputs):
        return True
    content = contents.read(storage.join(output, file.name))
    return content is None or content.may_go(file.digests)
