"""One photo, its record, and the run that decides what to do with it; no file is there."""

from collections.abc import Mapping
from dataclasses import replace

import records

from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import Listed
from pipelines.files.sources import Source

SETTINGS = Settings()
RECIPE = Recipe(model="unet", model_digest="m1", settings=SETTINGS, settings_digest=SETTINGS.digest(), run=1)
SOURCE = Source(uri="/scans/a.jpg", name="a.jpg", size=7, fingerprint="7-1")
OUTPUT = replace(records.OUTPUT, name="a.jpg", fingerprint="1234-1-1")
RECORD = replace(
    records.RECORD,
    outputs=(OUTPUT,),
    model="unet",
    model_digest="m1",
    settings_digest=SETTINGS.digest(),
    run=1,
)


def listing(there: Mapping[str, str]) -> list[Listed]:
    """Files by name with their fingerprints, which begin with the size."""
    return [Listed(name=name, bytes=int(told.split("-")[0]), fingerprint=told) for name, told in there.items()]
