"""How one photo is rendered: all that its child process is told, taken from the recipe of the run."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from model.watermark_code import Payload
from pipelines.images.credentials import Claim
from pipelines.images.encode import BitDepth
from pipelines.images.reading import AS_IT_IS, Reading
from pipelines.images.xmp import Mark

if TYPE_CHECKING:
    from pipelines.archive.manifest import Record
    from pipelines.archive.provenance import Recipe

SOFTWARE = f"Autochrome {version('autochrome')}"


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """How a photo is rendered.

    Attributes:
        size: side S of the model's input, in pixels.
        mark: states in the files that a machine coloured them.
        format: see `pipelines.archive.provenance.Settings`, also for the fields below.
        quality: of JPEG and WebP.
        bit_depth: that of the source, or 8.
        on_color: what to do with a photo that is in colour.
        borders: whether margins get colour.
        color_space: of the files.
        alpha: what becomes of transparency.
        hints: what `pipelines.guidance.reading` reads; b"" for none.
        on_bad_hint: what to do with a photo whose hint file is broken.
        reading: how the photo is read.
        watermark: content of the watermark in the chroma; None for none.
        claim: with which the files are signed; None if they are not.
        label: whether a margin below says that a machine made the colours.
    """

    size: int
    mark: Mark
    format: str = "keep"
    quality: int = 95
    bit_depth: BitDepth = "keep"
    on_color: str = "recolor"
    borders: str = "ignore"
    color_space: str = "srgb"
    alpha: str = "flatten"
    hints: bytes = b""
    on_bad_hint: str = "reject"
    reading: Reading = AS_IT_IS
    watermark: Payload | None = None
    claim: Claim | None = None
    label: bool = False


def options_of(record: "Record", recipe: "Recipe", size: int, hints: bytes) -> RenderOptions:
    """Return how a photo is rendered.

    Args:
        record: of the photo, before it is made.
        recipe: of the run.
        size: side of the model's input, in pixels.
        hints: what `pipelines.guidance.reading` reads; b"" for none.
    """
    settings = recipe.settings
    mark = Mark(
        software=SOFTWARE,
        model_name=record.model,
        model_digest=record.model_digest,
        source_name=record.name,
        digital_source_type=settings.digital_source_type,
        guided={kind: str(about["file"]) for kind, about in record.guided.items() if isinstance(about, dict)},
    )
    return RenderOptions(
        size=size,
        mark=mark,
        format=settings.format,
        quality=settings.quality,
        bit_depth=settings.bit_depth,
        on_color=settings.on_color,
        borders=settings.borders,
        reading=settings.reading,
        color_space=settings.color_space,
        alpha=settings.alpha,
        watermark=Payload.of(record.model_digest, record.settings_digest) if settings.watermark == "on" else None,
        hints=hints,
        on_bad_hint=recipe.plan.on_bad_hint,
        claim=_claim(record, recipe),
        label=settings.label == "on",
    )


def _claim(record: "Record", recipe: "Recipe") -> Claim | None:
    """Return what signed files claim; None if they are not signed."""
    if recipe.signing is None:
        return None
    return recipe.signing.claim(recipe.training, record.sha256)
