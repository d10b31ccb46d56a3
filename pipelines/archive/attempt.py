"""Take one photo through all stages, from its source to its files and its record.

Reading, predicting and writing happen here. A child process does everything that examines the bytes of the photo
(`pipelines.archive.render`, `pipelines.runtime.photo_process`). Faults of the photo (broken, too large, too slow,
crashes its decoder, a name that no file can have) are stored in its record. Any other error (a full disk, a model that
fails) is raised and ends the job. A photo whose process died or ran out of memory is undecided: the caller makes a last
attempt.
"""

import errno
import hashlib
import logging
from dataclasses import replace

import numpy as np

from model.guidance.guided import Question, answer
from pipelines.archive import chroma_file
from pipelines.archive.context import Context
from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe
from pipelines.archive.render import Rendered
from pipelines.archive.render_options import RenderOptions, options_of
from pipelines.archive.signing import wait_for_stamp
from pipelines.archive.written_names import Rules
from pipelines.errors import ModelError, Rejected, Undecided
from pipelines.files import inputs, storage
from pipelines.files.beneath import LinkError
from pipelines.guidance.plan import Guidance
from pipelines.guidance.reading import BAD_HINT
from pipelines.images.credentials import Asked, NotStamped, ToSign
from pipelines.images.memory import out_of_memory
from pipelines.runtime.stopwatch import Stopwatch
from tfrecords.color import Floats

# Errors for names and places that a file system cannot have; other errors are not the photo's fault.
_NO_SUCH_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
_LOG = logging.getLogger(__package__)


def blank(named: NamedSource, recipe: Recipe, reason: str = "", detail: str = "") -> Record:
    """Return the record of a photo before anything is known about it; its status is ``rejected``."""
    source, guidance = named.source, recipe.plan.of(named.source.name)
    recipe = recipe.of_photo(source.name)
    return Record(
        name=source.name,
        uri=source.uri,
        offset=source.offset,
        fingerprint=source.fingerprint,
        status="rejected",
        reason=reason,
        detail=detail,
        model=recipe.model,
        model_digest=recipe.model_digest,
        settings_digest=recipe.settings_digest,
        saturation=recipe.settings.saturation if guidance.saturation is None else guidance.saturation,
        color_space=recipe.settings.color_space,
        guided=guidance.told(),
        run=recipe.run,
    )


def attempt(named: NamedSource, context: Context, *, last: bool = False) -> Record:
    """Process one photo.

    Args:
        named: the photo.
        context: everything else it needs.
        last: whether this is the last attempt: the photo gets a fresh process, and no other photo may be running.

    Returns:
        its record: written, copied, skipped or rejected.

    Raises:
        Undecided: the process of the photo died or ran out of memory, or this process did, and this is not the last
            attempt.
        ModelError: the model fails.
        PhotoProcessError: the child processes fail.
        storage.io_errors: the output cannot be written.
    """
    watch = Stopwatch()
    record = blank(named, context.recipe)
    guidance = context.recipe.plan.of(named.source.name)
    if guidance.skip and not named.source.fault:
        return replace(record, status="skipped")
    context = context.of_photo(record.name)
    try:
        with watch.stage("read"):
            data = named.source.read()
            record = replace(record, bytes=len(data), sha256=_sha256(data))
            record, hints = _with_hints(record, guidance)
        files: list[bytes] = []
        chroma: list[Floats] = []
        options = options_of(record, context.recipe, context.size, hints)
        with watch.stage("decode"):  # the time that the child does not report
            rendered: Rendered = context.processes.call(
                data,
                options,
                answer=lambda asked: _answer(asked, chroma, context, guidance),
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
            record = _written(record, files, named, context, rendered, watch, (options, chroma))
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


def _with_hints(record: Record, guidance: Guidance) -> tuple[Record, bytes]:
    """Return the hint file of a photo, b"" for none, and the record, which names its digest as it is now."""
    file = guidance.hints
    if file is None:
        return record, b""
    try:
        data, digest = file.read(inputs.read)
    except storage.io_errors() as error:
        raise Rejected(BAD_HINT, f"its hint file cannot be read: {error}") from error
    # It may have changed since the job started.
    return replace(record, guided=replace(guidance, hints=replace(file, sha256=digest)).told()), data


def _answer(asked: Question | Asked, chroma: list[Floats], context: Context, guidance: Guidance) -> Floats | bytes:
    """Return the chroma of a page, which is kept as well, or a signature; or wait, if there was no time stamp."""
    if isinstance(asked, ToSign):
        return context.sign(asked.data)
    if isinstance(asked, NotStamped):
        return wait_for_stamp(asked)
    return _kept(chroma, _chroma(asked, context, guidance), context)


def _chroma(asked: Question, context: Context, guidance: Guidance) -> Floats:
    """Return the chroma of a page, float32 ``[S, S, 2]``, or ``[h, w, 2]`` with hints."""
    choices = guidance.choices(context.recipe.settings.saturation)
    return answer(asked, choices, lambda seen, hints: _predicted(seen, hints, context), context.look)


def _kept(chroma: list[Floats], made: Floats, context: Context) -> Floats:
    """Return the chroma of a page, as its sidecar will have it if there are any, and keep it for that."""
    if not context.recipe.settings.sidecar:
        return made
    chroma.append(chroma_file.rounded(made))
    return chroma[-1]


def _predicted(seen: Floats, hints: Floats | None, context: Context) -> Floats:
    """Return the model's prediction for the luminance ``[1, S, S, 1]`` of a page, float32 ``[1, S, S, 2]``."""
    try:
        chroma = context.predict(seen, hints)
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
    """Return the record of a photo that is skipped or copied because it is in colour."""
    if context.recipe.settings.on_color == "skip":
        return replace(record, status="skipped")
    name = named.copy(record.format)
    outputs = tuple(
        Output(
            name=name,
            page=page.index + 1,
            width=page.width,
            height=page.height,
            bytes=len(data),
            sha256=record.sha256,
            tone=page.tone,
            colourfulness=None,
        )
        for page in rendered.pages
    )
    copied = replace(record, status="copied", outputs=outputs, warnings=_warnings(named, name))
    with watch.stage("write"):
        return _saved(copied, {name: data}, context)


def _written(
    record: Record,
    files: list[bytes],
    named: NamedSource,
    context: Context,
    rendered: Rendered,
    watch: Stopwatch,
    made_of: tuple[RenderOptions, list[Floats]],
) -> Record:
    number = len(rendered.pages) // len(files)
    files = files * number  # one TIFF for all pages, or one file for each
    unsigned = rendered.unsigned * number or ("",) * len(files)
    outputs = tuple(
        Output(
            name=named.output(rendered.file_format, index, len(rendered.pages)),
            page=page.index + 1,
            width=page.width,
            height=page.height,
            bytes=len(file),
            sha256=_sha256(file),
            tone=page.tone,
            colourfulness=page.colourfulness,
            picture=page.picture,
            label=page.label,
            unsigned_sha256=digest,
        )
        for index, (page, file, digest) in enumerate(zip(rendered.pages, files, unsigned, strict=True))
    )
    warnings = (*_warnings(named, outputs[0].name), *rendered.warnings)
    written = replace(record, status="written", outputs=outputs, warnings=warnings)
    with watch.stage("write"):
        sidecar = chroma_file.pack(written, *made_of) if context.recipe.settings.sidecar else b""
        named_files = {output.name: file for output, file in zip(outputs, files, strict=True)}
        if context.recipe.settings.sidecar == chroma_file.ONLY:
            written = chroma_file.in_place(written, named.rules.sidecar(outputs[0].name), sidecar)
            return _saved(written, {written.outputs[0].name: sidecar}, context)
        return _saved(written, named_files, context, sidecar)


def _saved(record: Record, files: dict[str, bytes], context: Context, sidecar: bytes = b"") -> Record:
    try:
        if sidecar:  # first, so that a photo that counts as done has one
            folder = context.recipe.settings.sidecar
            storage.write_in(folder, Rules.of(folder).sidecar(record.outputs[0].name), sidecar)
        return context.save(record, files)
    except LinkError as error:
        raise Rejected("unwritable", str(error)) from error
    except OSError as error:
        if error.errno in _NO_SUCH_NAME:
            raise Rejected("unwritable", f"{next(iter(files))}: {error.strerror}") from error
        raise


def _warnings(named: NamedSource, output: str) -> tuple[str, ...]:
    if output == named.source.name:
        return ()
    if not named.has_its_name:
        return (f"written as {output}: its name is that of another photo",)
    return () if output.startswith(named.source.name) else (f"written as {output}: the output cannot have its name",)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
