"""`KeepApart`: check, in a pipeline, that photos and output are in separate folders."""

import os
from dataclasses import dataclass

import apache_beam as beam

from pipelines.files import cloud, input_checks, storage
from pipelines.files.find_photos import patterns_of
from pipelines.files.sources import Source
from tfrecords.errors import UserError


@dataclass(eq=False)
class KeepApart(beam.PTransform):
    """Pass photos on, after checking that none is in the output: PCollection of `Source` → the same.

    Attributes:
        output: a folder that is written to.
        name: its name in messages.

    Raises:
        UserError: when it is applied: the output overlaps with the input of a `FindPhotos` that the photos come from.
            When the job runs: a photo is in the output.
    """

    output: str
    name: str = "output"

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Source]:
        """Build the graph."""
        if not self.output:
            raise UserError(f"{self.name} is empty; name a folder")
        cloud.check({self.name: self.output})
        for pattern in patterns_of(photos):
            input_checks.check_apart(pattern, self.output, self.name)
        return photos | beam.Map(_apart, storage.normalized(self.output).rstrip("/") + "/")


def _apart(photo: Source, folder: str) -> Source:
    # Links are not followed here: `input_checks.check_apart` does that once.
    path = photo.uri if storage.is_remote(photo.uri) else os.path.abspath(photo.uri)  # noqa: PTH100 (called once a photo)
    if path.startswith(folder):
        raise UserError(f"{photo.uri} lies in the output {folder}; choose an output folder apart from the photos")
    return photo
