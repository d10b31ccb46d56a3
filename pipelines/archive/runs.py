"""The runs of one pipeline: `WriteManifest` finds here what `ColorizePhotos` knows, despite transforms in between."""

from dataclasses import dataclass

import apache_beam as beam

from pipelines.archive.lease import Lease
from pipelines.archive.provenance import Recipe
from pipelines.archive.results import Result
from pipelines.files import storage
from pipelines.files.sources import Source
from tfrecords.errors import UserError

_ATTRIBUTE = "_autochrome_runs"


@dataclass(frozen=True, kw_only=True)
class Run:
    """The data that `ColorizePhotos` leaves for `WriteManifest`.

    Attributes:
        lease: of the run, which ends with the manifest.
        recipe: of the run.
        results: PCollection of Result, one per photo.
        records: PCollection of Source: shards and journals that the run read when it started.
        damaged: PCollection of str: the damage in them, one line each.
        unfinished: PCollection of Source: files that killed writers left.
    """

    lease: Lease
    recipe: Recipe
    results: beam.PCollection[Result]
    records: beam.PCollection[Source]
    damaged: beam.PCollection[str]
    unfinished: beam.PCollection[Source]


def check_alone(pipeline: beam.Pipeline, folder: str) -> None:
    """Check that no other run of a pipeline keeps its records in ``folder``.

    Raises:
        UserError: another run does.
    """
    if storage.normalized(folder) in _known(pipeline):
        raise UserError(f"two ColorizePhotos write into {folder}; flatten their photos into one, or use two folders")


def register(pipeline: beam.Pipeline, run: Run) -> None:
    """Remember a run with its pipeline."""
    _known(pipeline)[storage.normalized(run.lease.folder)] = run


def of(pipeline: beam.Pipeline, folder: str) -> Run:
    """Return the run of a pipeline that keeps its records in ``folder``.

    Raises:
        UserError: there is none.
    """
    run = _known(pipeline).get(storage.normalized(folder))
    if run is None:
        raise UserError(f'no ColorizePhotos of this pipeline has output or state "{folder}"; give both the same folder')
    return run


def _known(pipeline: beam.Pipeline) -> dict[str, Run]:
    # Stored in the pipeline, so that it is freed with the pipeline. Beam does not pickle pipelines.
    known: dict[str, Run] = vars(pipeline).setdefault(_ATTRIBUTE, {})
    return known
