"""Import Beam without the connectors to stores, databases and queues that a job in one process does not use.

They take 0.7 of the 1.4 seconds of processor time that a local job needs for its imports. Files are read and written by
`pipelines.files`, never by Beam.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.runtime import garbage, local_threads

CONNECTORS = (
    "apache_beam.io.aws.s3filesystem",
    "apache_beam.io.azure.blobstoragefilesystem",
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "apache_beam.io.gcp.pubsub",
    "apache_beam.io.hadoopfilesystem",
)
"""Modules that Beam does without where they cannot be imported."""


@contextmanager
def without_connectors(flags: list[str]) -> Iterator[None]:
    """Import Beam in this block, without its connectors if the flags say that the job runs in this process.

    Args:
        flags: Beam's, as on the command line.
    """
    left_out = [name for name in CONNECTORS if name not in sys.modules and local_threads.is_one_process(flags)]
    for name in left_out:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        with garbage.none():
            yield
    finally:
        for name in left_out:
            del sys.modules[name]  # who needs it later can import it
