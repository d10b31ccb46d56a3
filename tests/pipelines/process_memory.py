"""What a process remembers from one job to the next, forgotten: no test may depend on which ones ran before it."""

import sys
from types import ModuleType

import kept_processes


def forget() -> None:
    """Leaves the process as it was before its first job, in the modules that it has loaded."""
    if beam := _loaded("apache_beam.io.filesystems"):
        beam.FileSystems._pipeline_options = None  # the flags of a job say how to reach stores
    if notices := _loaded("pipelines.notices"):
        notices._told_here = notices.Board()  # what was told once is not told again
    if reads := _loaded("pipelines.files.bucket_reads"):
        reads.neighbours_in.cache_clear()  # a bucket of the same name may hold other objects
    kept_processes.put_back()  # of a job that failed before it used them


def _loaded(name: str) -> ModuleType | None:
    return sys.modules.get(name)
