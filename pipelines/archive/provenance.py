"""What a run makes its photos with, and which runs wrote into a folder before it.

A file counts as done when its record says that this model and these settings made it. If another run came in between,
it may have been killed after it wrote a file and before it wrote that file's record; so the runs of a folder are
numbered, and what an earlier number made is compared with its digest before it is believed.
"""

import argparse
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from model import saved_model
from pipelines.archive.manifest import FOLDER, RUNS_FILE
from pipelines.files import storage, versions
from pipelines.images.encode import BitDepth
from pipelines.images.source_types import COMPOSITE, IPTC_TERMS
from tfrecords.errors import UserError

_RECIPE = 3
"""Raise it when the same model and settings give other files than before."""
_CHOICES = {
    "format": ("keep", "jpeg", "png", "tiff", "webp"),
    "bit_depth": ("8", "keep"),
    "on_color": ("recolor", "skip", "copy"),
}


@dataclass(frozen=True)
class Settings:
    """What shapes the files beside the model.

    Attributes:
        format: ``keep``, ``jpeg``, ``png``, ``tiff`` or ``webp``.
        quality: 1 to 100, of JPEG and WebP.
        bit_depth: ``8``, or ``keep``: 16 bits where the source has more than 8 and the format is PNG or TIFF.
        on_color: what becomes of a photo that is in colour: ``recolor``, ``skip`` or ``copy``.
        digital_source_type: what the files are marked as: URI of a term of IPTC's vocabulary.
    """

    format: str = "keep"
    quality: int = 95
    bit_depth: BitDepth = "8"
    on_color: str = "recolor"
    digital_source_type: str = COMPOSITE

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UserError: one is unknown or out of its range.
        """
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise UserError(f"{name} {getattr(self, name)!r} is unknown; choose one of {', '.join(known)}")
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality {self.quality} is out of range; choose 1 to 100")

    def digest(self) -> str:
        """Hex sha256 of the settings; equal settings of this version of the program give equal files."""
        told = json.dumps({"recipe": _RECIPE, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Recipe:
    """What makes the photos of a run.

    Attributes:
        model: name of the model's configuration.
        model_digest: of its files, see `model.saved_model.digest`.
        settings: of the run.
        settings_digest: of the settings.
        run: the number of the run in its folder, counted from 1.
    """

    model: str
    model_digest: str
    settings: Settings
    settings_digest: str
    run: int = 1

    @classmethod
    def of(cls, model: str, settings: Settings, run: int = 1) -> "Recipe":
        """Reads what there is to say of the SavedModel folder ``model``; UserError where it is none."""
        name = str(saved_model.check(model)["name"])
        return cls(name, saved_model.digest(model), settings, settings.digest(), run)

    def made_with(self) -> dict[str, Any]:
        """As it stands in ``report.json`` and ``runs.json``."""
        fields = asdict(self)
        del fields["run"]
        return fields


def known(output: str) -> list[dict[str, Any]]:
    """The runs that began in a folder, oldest first.

    Raises:
        UserError: the file that says so is damaged.
        storage.IO_ERRORS: it cannot be read.
    """
    uri = storage.join(output, RUNS_FILE)
    found = versions.read(uri)
    if found is None:
        return []
    try:
        return [dict(run) for run in json.loads(found.data)["runs"]]
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{uri} is damaged; delete it and start again: photos are then checked against their records"
        ) from error


def check_state(output: str, state: str) -> None:
    """Makes sure that records which earlier runs left in the output are not passed over.

    Raises:
        UserError: the output has records, and the other folder has none.
    """
    if known(output) and not known(state):
        raise UserError(
            f"{output} holds records of earlier runs; copy its folder {FOLDER} to {state} first, or leave out --state"
        )


def number(output: str, recipe: Recipe) -> int:
    """The number that a run has in a folder: that of the last one where it goes on with it, else the next."""
    before = known(output)
    return len(before) + (not before or before[-1] != recipe.made_with())


def numbered(recipe: Recipe, folder: str) -> Recipe:
    """Return a recipe with the number that its run has in a folder."""
    return replace(recipe, run=number(folder, recipe))


def begin(output: str, recipe: Recipe) -> None:
    """Records that the run begins; once, however often it is called.

    Raises:
        UserError: another run began after this one got its number.
    """
    before = known(output)
    if number(output, recipe) != recipe.run:
        raise UserError(f"another run wrote into {output} since this one was launched; launch this one again")
    if recipe.run > len(before):
        data = json.dumps({"runs": [*before, recipe.made_with()]}, indent=2, ensure_ascii=False) + "\n"
        storage.write_in(output, RUNS_FILE, data.encode())


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that the flags of a command say."""
    return Settings(args.format, args.quality, args.bit_depth, args.on_color, source_type(args.digital_source_type))


def source_type(term: str) -> str:
    """The URI of a term of IPTC's vocabulary of digital source types; a URI is left as it is."""
    return term if "://" in term else IPTC_TERMS + term
