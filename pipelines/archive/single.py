"""Colorize one photo into one file, without a job: `autochrome colorize --input photo.jpg --output colour.jpg`."""

from collections.abc import Sequence
from pathlib import Path

from model.terminal import say
from pipelines.archive import mtimes
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Engine
from pipelines.archive.manifest import Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe
from pipelines.errors import Undecided
from pipelines.files import listings, sources, storage, tars, writable
from pipelines.images.formats import EXTENSIONS, format_of
from tfrecords.errors import UserError
from tfrecords.words import counted


def file_format(patterns: Sequence[str], output: str) -> str:
    """Return the format of the output if the input is one photo and the output is a file; else ''.

    Raises:
        UserError: the output has the extension of a picture format that is not written.
    """
    ending = "." + output.lower().rpartition("/")[2].rpartition(".")[2]
    if len(patterns) > 1 or ending not in EXTENSIONS or Path(output).is_dir() or tars.is_tar(patterns[0]):
        return ""
    if not listings.is_file(patterns[0]):
        return ""
    found = format_of(output)
    if found is None:
        raise UserError(f"--output {output}: {ending} files are not written; end it in .jpg, .png, .tif or .webp")
    return found


def run(
    pattern: str, output: str, model: str, recipe: Recipe, *, keep: bool, dry: bool, keep_mtime: bool = False
) -> int:
    """Colorize one photo.

    Args:
        pattern: the photo.
        output: the file to write.
        model: the SavedModel folder.
        recipe: settings, and the identity of the model; its format is that of the output's name.
        keep: whether an existing output is left alone.
        dry: whether to say only what would be done.
        keep_mtime: whether the file gets the time of change of the photo.

    Returns:
        the exit code: 0, or 1 if the photo was rejected.

    Raises:
        UserError: the output already exists, or cannot be written.
    """
    source = next(sources.find(pattern))
    if storage.normalized(pattern) == storage.normalized(output):
        raise UserError(f"--output {output} is the photo itself; choose another name")
    if storage.size(output) >= 0:
        if keep:
            say(f"{output}: exists already and is kept")
            return 0
        raise UserError(f"--output {output} exists already; choose another name, or remove it first")
    if dry:
        say(f"{output}: would be made from {pattern}")
        return 0
    folder = str(Path(output).parent) if not storage.is_remote(output) else output.rpartition("/")[0]
    writable.check(folder)
    name = output.rpartition("/")[2]

    def save(record: Record, files: dict[str, bytes]) -> Record:
        for made, data in files.items():
            storage.write(storage.join(folder, made), data)
            if keep_mtime and (changed := mtimes.of(source)) is not None:
                mtimes.set_time(storage.join(folder, made), changed)
        return record

    photo = NamedSource(source=source, own=name, stem=name)
    with Engine(model, recipe) as engine:
        context = engine.context(save)
        try:
            record = attempt(photo, context)
        except Undecided:
            record = attempt(photo, context, last=True)
    if record.status == "rejected":
        say(f"{pattern}: rejected, {record.reason}: {record.detail}")
        return 1
    for made in record.outputs:
        say(f"{storage.join(folder, made.name)}: {made.width} x {made.height} pixels, {counted(made.bytes, 'byte')}")
    return 0
