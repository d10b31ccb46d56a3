"""One photo and the run that decides what to do with it; no file is there."""

from collections.abc import Mapping

from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import Listed
from pipelines.files.sources import Source

SETTINGS = Settings()
RECIPE = Recipe("unet", "m1", SETTINGS, SETTINGS.digest(), run=1)
SOURCE = Source("/scans/a.jpg", "a.jpg", 7, "7-1")


def listing(there: Mapping[str, str]) -> list[Listed]:
    """Files by name with their fingerprints, which begin with the size."""
    return [Listed(name, int(told.split("-")[0]), told) for name, told in there.items()]
