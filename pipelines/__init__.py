"""The Beam jobs, the code they share, the command line, and the transforms for your own pipelines.

    import apache_beam as beam
    from pipelines import ColorizePhotos, FindPhotos, WriteManifest

    with beam.Pipeline(runner="FnApiRunner") as p:
        photos = p | FindPhotos("scans/*.tif") | beam.Filter(lambda photo: photo.size > 1_000_000)
        _ = photos | ColorizePhotos("colour") | WriteManifest("colour")

`FindPhotos` yields one `Source` per photo, `ColorizePhotos` turns each into a `Record`, and `WriteManifest` writes the
records. `PreparePhotos` makes records for training. The names are imported on their first use, so that
``autochrome --help`` does not import Beam.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.archive.colorize_photos import ColorizePhotos
    from pipelines.archive.finish import WriteManifest
    from pipelines.archive.manifest import Record
    from pipelines.archive.provenance import Settings as ColorizeSettings
    from pipelines.dataset.prepare_photos import PreparePhotos
    from pipelines.dataset.prepare_photos import Settings as PrepareSettings
    from pipelines.files.find_photos import FindPhotos
    from pipelines.files.sources import Source

__all__ = [
    "ColorizePhotos",
    "ColorizeSettings",
    "FindPhotos",
    "PreparePhotos",
    "PrepareSettings",
    "Record",
    "Source",
    "WriteManifest",
]

_PLACES = {
    "ColorizePhotos": ("archive.colorize_photos", "ColorizePhotos"),
    "ColorizeSettings": ("archive.provenance", "Settings"),
    "FindPhotos": ("files.find_photos", "FindPhotos"),
    "PreparePhotos": ("dataset.prepare_photos", "PreparePhotos"),
    "PrepareSettings": ("dataset.prepare_photos", "Settings"),
    "Record": ("archive.manifest", "Record"),
    "Source": ("files.sources", "Source"),
    "WriteManifest": ("archive.finish", "WriteManifest"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
