"""Describe what a run makes its photos with: model, settings, guidance and signature."""

import argparse
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from model.color_spaces import SPACES
from model.guidance import ranges
from pipelines.archive.manifest import Record
from pipelines.archive.signing import Signing, trained_on
from pipelines.guidance import models
from pipelines.guidance.plan import NONE, Plan
from pipelines.guidance.reading import BAD_HINT
from pipelines.images.encode import BitDepth
from pipelines.images.limits import Limits
from pipelines.images.reading import DEFAULT_MEGAPIXELS, Pages, Reading, Truncated, pixels_of
from pipelines.images.source_types import COMPOSITE, IPTC_TERMS
from tfrecords.errors import UserError

_RECIPE = 5
"""Increase this when the same model and settings give different files than before."""
_CHOICES = {
    "format": ("keep", "jpeg", "png", "tiff", "webp"),
    "bit_depth": ("8", "keep"),
    "on_color": ("recolor", "skip", "copy"),
    "borders": ("ignore", "keep"),
    "color_space": tuple(SPACES),
    "alpha": ("flatten", "keep"),
    "watermark": ("on", "off"),
    "label": ("off", "on"),
    "pages": ("auto", "first", "all"),
    "truncated": ("reject", "keep"),
}
# The only ways before there was a choice: photos that were made then are not made again.
_BEFORE: dict[str, Any] = {
    "borders": "keep",
    "saturation": 1.0,
    "color_space": "srgb",
    "alpha": "flatten",
    "watermark": "off",
    "label": "off",
    "pages": "auto",
    "truncated": "reject",
    "max_megapixels": DEFAULT_MEGAPIXELS,
    "max_seconds": 0,
    "sidecar": "",
}
# These decide which photos are made, not what becomes of them.
_LIMITS = ("max_megapixels", "max_seconds")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings that affect the files, in addition to the model.

    Attributes:
        format: ``keep``, ``jpeg``, ``png``, ``tiff`` or ``webp``.
        quality: of JPEG and WebP, 1 to 100.
        bit_depth: ``keep``: 16 bits if the source has more than 8 and the format is PNG or TIFF; or ``8``.
        on_color: what to do with a photo that is in colour: ``recolor``, ``skip`` or ``copy``.
        borders: ``ignore`` leaves the margin around a picture without colour; ``keep`` colours the whole frame.
        saturation: factor of the chroma, 0 to 4; 1 leaves what the model predicts.
        color_space: of the files, one of `model.color_spaces.SPACES`.
        alpha: ``flatten`` lays transparent photos on white; ``keep``: they stay transparent where the format can.
        watermark: ``on`` puts a watermark into the chroma (`model.watermark`); ``off`` does not.
        label: ``on`` adds a margin below with a line of text (`pipelines.images.label`); ``off`` does not.
        pages: pages of a TIFF and frames that are read, see `pipelines.images.reading.Reading`.
        truncated: ``keep`` the rows of files that are cut short; or ``reject`` them.
        max_megapixels: of a page, at most.
        max_seconds: of processor time for a photo; 0 for what is usual for the size of its file.
        sidecar: folder for the chroma alone (`pipelines.archive.chroma_file`); ``only``: nothing else; '' for none.
        digital_source_type: the mark in the files: URI of a term of IPTC's vocabulary.
    """

    format: str = "keep"
    quality: int = 95
    bit_depth: BitDepth = "keep"
    on_color: str = "recolor"
    borders: str = "ignore"
    saturation: float = 1.0
    color_space: str = "srgb"
    alpha: str = "flatten"
    watermark: str = "on"
    label: str = "off"
    pages: Pages = "auto"
    truncated: Truncated = "reject"
    max_megapixels: int = DEFAULT_MEGAPIXELS
    max_seconds: int = 0
    sidecar: str = ""
    digital_source_type: str = COMPOSITE

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UserError: a value is unknown or out of range.
        """
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise UserError(f"{name} {getattr(self, name)!r} is unknown; choose one of {', '.join(known)}")
        if self.max_megapixels < 1 or self.max_seconds < 0:
            raise UserError("max_megapixels must be at least 1, and max_seconds at least 0")
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality {self.quality} is out of range; choose 1 to 100")
        if not ranges.holds("saturation", self.saturation):
            raise UserError(f"saturation {self.saturation} is out of range; choose {ranges.told('saturation')}")

    @property
    def reading(self) -> Reading:
        """How photos are read."""
        most = pixels_of(self.max_megapixels)
        return Reading(pages=self.pages, truncated=self.truncated, most_pixels=most)

    @property
    def are_limits_raised(self) -> bool:
        """Whether photos that other runs rejected for their size may be accepted."""
        return self.max_megapixels > DEFAULT_MEGAPIXELS

    def limits(self, size: int) -> Limits:
        """Return the limits of a photo whose file has a number of bytes."""
        return Limits.of(size, most_pixels=pixels_of(self.max_megapixels), seconds=self.max_seconds)

    def digest(self) -> str:
        """Return the SHA-256 of the settings in hex; equal settings in this version of the program give equal files."""
        return digests_of(asdict(self))[-1]


def digests_of(settings: dict[str, Any]) -> list[str]:
    """Return the digest of recorded settings by each recipe that there was, that of this version last."""
    fields = {name: value for name, value in settings.items() if name not in _LIMITS}
    fields = {name: value for name, value in fields.items() if name not in _BEFORE or value != _BEFORE[name]}
    if "sidecar" in fields:
        fields["sidecar"] = "on"  # the bytes of a photo do not depend on the folder
    told = (json.dumps({"recipe": recipe, **fields}, sort_keys=True) for recipe in range(1, _RECIPE + 1))
    return [hashlib.sha256(one.encode()).hexdigest() for one in told]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The model and settings that make the photos of a run.

    Attributes:
        model: name of the model's configuration.
        model_digest: by which it is known, see `model.saved_model.digest`.
        settings: of the run.
        settings_digest: of the settings.
        run: number of the run in its folder, from 1.
        plan: which photos are guided by hints, and how.
        training: what the model was trained on, in words.
        signing: who signs the files; None if nobody does.
    """

    model: str
    model_digest: str
    settings: Settings
    settings_digest: str
    run: int = 1
    plan: Plan = NONE
    training: str = ""
    signing: Signing | None = None

    @classmethod
    def of(
        cls, model: str, settings: Settings, run: int = 1, plan: Plan = NONE, signing: Signing | None = None
    ) -> "Recipe":
        """Return the recipe for the SavedModel folder ``model``; UserError if it is none, or not for this plan."""
        about = models.load(model)
        return cls(
            model=about.name,
            model_digest=about.digest,
            settings=settings,
            settings_digest=settings.digest(),
            run=run,
            plan=plan.with_model(about),
            training=trained_on(about.data),
            signing=signing,
        )

    def of_photo(self, name: str) -> "Recipe":
        """Return the recipe for the photo of that name, for which a rule may choose another model."""
        if (chosen := self.plan.of(name).model) is None:
            return self
        return replace(self, model=chosen.name, model_digest=chosen.digest, training=trained_on(chosen.data))

    def made_with(self) -> dict[str, Any]:
        """Return the entry for ``report.json`` and ``runs.json``."""
        fields = {
            "model": self.model,
            "model_digest": self.model_digest,
            "settings": asdict(self.settings),
            "settings_digest": self.settings_digest,
        }
        if self.signing is not None:
            fields["signing"] = self.signing.told
        return fields | ({"guidance": self.plan.told} if self.plan.told else {})

    def has_made(self, record: Record, name: str) -> bool:
        """Return whether the model, these settings and the guidance of the photo of that name made a record."""
        made_with = record.model_digest, record.settings_digest, record.guided
        is_so = made_with == (self.of_photo(name).model_digest, self.settings_digest, self.plan.of(name).told())
        made = [output for output in record.outputs if output.sha256 != record.sha256]  # copies are not signed
        is_signed_so = all(bool(output.unsigned_sha256) == (self.signing is not None) for output in made)
        return is_so and is_signed_so and not (BAD_HINT in record.warnings and self.plan.on_bad_hint == "reject")


def completed(run: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a run in ``runs.json`` with the settings that runs of earlier versions do not name."""
    settings = run.get("settings")
    return {**run, "settings": {**_BEFORE, **settings}} if isinstance(settings, dict) else run


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings from the flags of a command."""
    return Settings(
        format=args.format,
        quality=args.quality,
        bit_depth=args.bit_depth,
        on_color=args.on_color,
        borders=args.borders,
        saturation=args.saturation,
        color_space=args.color_space,
        alpha=args.alpha,
        watermark=args.watermark,
        label=args.label,
        pages=args.pages,
        truncated=args.truncated,
        max_megapixels=args.max_megapixels,
        max_seconds=args.max_seconds,
        sidecar=getattr(args, "sidecar", ""),
        digital_source_type=source_type(args.digital_source_type),
    )


def source_type(term: str) -> str:
    """Return the URI of a term of IPTC's vocabulary of digital source types; a URI is returned unchanged."""
    return term if "://" in term else IPTC_TERMS + term
