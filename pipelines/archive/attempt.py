"""One photo through all stages, from its source to its file, and the record of it.

Reading, predicting and writing happen here; everything that looks into the photo's bytes happens in a child process
(`pipelines.archive.render`, `pipelines.runtime.photo_process`). Faults of the photo (broken, too large, too slow,
crashes its decoder, a name that no file can have) are stored in its record. Anything else (a full disk, a model that
fails) is raised and ends the job. A photo whose process died or ran out of memory is undecided: the caller makes a last
attempt.
"""

import errno
import hashlib
import logging
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from pipelines.archive.context import Context
from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe
from pipelines.archive.render import Rendered, RenderOptions
from pipelines.errors import ModelError, Rejected, Undecided
from pipelines.files.beneath import LinkError
from pipelines.images.memory import out_of_memory
from pipelines.images.xmp import Mark
from pipelines.runtime.stopwatch import Stopwatch
from tfrecords.color import Floats

# What file systems say to a name or a place that they cannot have; anything else is not the photo's fault.
_NO_SUCH_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
_LOG = logging.getLogger(__package__)
SOFTWARE = f"Autochrome {version('autochrome')}"


def blank(named: NamedSource, recipe: Recipe, reason: str = "", detail: str = "") -> Record:
    """The record of a photo of which nothing is known yet; rejected until something is."""
    source = named.source
    return Record(
        source.name,
        source.uri,
        source.offset,
        source.fingerprint,
        "rejected",
        reason,
        detail,
        model=recipe.model,
        model_digest=recipe.model_digest,
        settings_digest=recipe.settings_digest,
        run=recipe.run,
    )


def attempt(named: NamedSource, context: Context, *, last: bool = False) -> Record:
    """Makes one photo.

    Args:
        named: the photo.
        context: all else.
        last: whether this decides: the photo is given a fresh process, to be called while no other photo is under way.

    Returns:
        its record: written, copied, skipped or rejected.

    Raises:
        Undecided: the photo's process died or ran out of memory, or this process did. Not if this is the last attempt.
        ModelError: the model fails.
        PhotoProcessError: the child processes fail.
        OSError, BeamIOError: the output cannot be written.
    """
    watch = Stopwatch()
    record = blank(named, context.recipe)
    try:
        with watch.stage("read"):
            data = named.source.read()
            record = replace(record, bytes=len(data), sha256=_sha256(data))
        files: list[bytes] = []
        with watch.stage("decode"):  # what the child does not account for
            rendered: Rendered = context.processes.call(
                data,
                _options(record, context),
                answer=lambda seen: _chroma(seen, context),
                give=files.append,
                alone=last,
            )
            for stage, milliseconds in rendered.milliseconds.items():
                watch.milliseconds[stage] += milliseconds
        record = replace(record, format=rendered.format)
        if rendered.status == "rejected":
            raise Rejected(rendered.reason, rendered.detail)
        if rendered.status == "in_color":
            record = _left(record, data, named, context, rendered, watch)
        else:
            record = _written(record, files, named, context, rendered, watch)
    except Rejected as verdict:
        record = replace(record, status="rejected", reason=verdict.reason, detail=verdict.detail)
    except Undecided as undecided:
        if not last:
            _LOG.info("%s: %s; trying again, alone", named.source.name, undecided.detail)
            raise
        record = replace(record, reason=undecided.reason, detail=undecided.detail)
    except Exception as error:
        if not out_of_memory(error):
            raise
        if not last:
            raise Undecided("out_of_memory", "it needs more memory than this machine has") from error
        record = replace(record, reason="out_of_memory", detail="it needs more memory than this machine has")
    spent = {stage: round(watch.milliseconds[stage], 1) for stage in STAGES if stage in watch.milliseconds}
    return replace(record, milliseconds=spent)


def _options(record: Record, context: Context) -> RenderOptions:
    settings = context.recipe.settings
    mark = Mark(SOFTWARE, record.model, record.model_digest, record.name, settings.digital_source_type)
    return RenderOptions(context.size, mark, settings.format, settings.quality, settings.bit_depth, settings.on_color)


def _chroma(seen: Any, context: Context) -> Floats:
    """What the model says to the luminance ``[S, S, 1]`` of a page."""
    try:
        chroma = context.predict(seen[None])[0]
    except Exception as error:
        if out_of_memory(error):
            raise
        said = str(error).strip().partition("\n")[0]
        raise ModelError(f"the model cannot predict: {type(error).__name__}: {said}") from error
    if not np.isfinite(chroma).all():
        raise ModelError("the model predicts colours that are not finite numbers; export it again, or train it again")
    return chroma


def _left(
    record: Record, data: bytes, named: NamedSource, context: Context, rendered: Rendered, watch: Stopwatch
) -> Record:
    """The record of a photo that is in colour, and is skipped or copied for that."""
    if context.recipe.settings.on_color == "skip":
        return replace(record, status="skipped")
    name = named.copy(record.format)
    outputs = tuple(
        Output(name, page.index + 1, page.width, page.height, len(data), record.sha256, page.tone, None)
        for page in rendered.pages
    )
    copied = replace(record, status="copied", outputs=outputs, warnings=_warnings(named, name))
    with watch.stage("write"):
        return _saved(copied, {name: data}, context)


def _written(
    record: Record, files: list[bytes], named: NamedSource, context: Context, rendered: Rendered, watch: Stopwatch
) -> Record:
    files = files * (len(rendered.pages) // len(files))  # one TIFF for all pages, or one file for each
    outputs = tuple(
        Output(
            named.output(rendered.file_format, page.index, page.count),
            *(page.index + 1, page.width, page.height, len(file), _sha256(file), page.tone, page.colourfulness),
        )
        for page, file in zip(rendered.pages, files, strict=True)
    )
    warnings = (*_warnings(named, outputs[0].name), *rendered.warnings)
    written = replace(record, status="written", outputs=outputs, warnings=warnings)
    with watch.stage("write"):
        return _saved(written, {output.name: file for output, file in zip(outputs, files, strict=True)}, context)


def _saved(record: Record, files: dict[str, bytes], context: Context) -> Record:
    try:
        return context.save(record, files)
    except LinkError as error:
        raise Rejected("unwritable", str(error)) from error
    except OSError as error:
        if error.errno in _NO_SUCH_NAME:
            raise Rejected("unwritable", f"{next(iter(files))}: {error.strerror}") from error
        raise


def _warnings(named: NamedSource, output: str) -> tuple[str, ...]:
    if not named.has_its_name:
        return (f"written as {output}: its name is that of another photo",)
    return () if output.startswith(named.source.name) else (f"written as {output}: the output cannot have its name",)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
