"""`--dry_run`: what a run would do, photo by photo, found by the very transform that the run begins with."""

import os
import tempfile
from collections import Counter

import apache_beam as beam

from pipelines import runners
from pipelines.done import Task
from pipelines.tasks import FindTasks

MAKE = "make"


def action(task: Task) -> str:
    """What would become of an input: ``make``, or ``done before: …`` with its outcome."""
    if task.standing is None:
        return MAKE
    return "kept" if task.standing.status == "kept" else f"done before: {task.standing.key}"


def show(found: FindTasks, title: str) -> None:
    """Prints a line for each input, in order of name, and their sums; writes nothing to the output."""
    descriptor, path = tempfile.mkstemp(prefix="autochrome-dry-run-")
    os.close(descriptor)
    try:
        runners.run(_Listing(found, path), runners.beam_options(["--direct_num_workers=1"]))
        with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 (its errors are wanted)
            lines = sorted(line.rstrip("\n").partition("\t") for line in file)
    finally:
        os.unlink(path)  # noqa: PTH108 (as above)
    for name, _, what in lines:
        print(f"{what}\t{name}".encode("utf-8", "backslashreplace").decode())
    counts = Counter(what for _, _, what in lines)
    print(f"{title}: {len(lines):,} inputs; " + ", ".join(f"{what}: {n:,}" for what, n in sorted(counts.items())))


class _Listing(beam.PTransform):
    """root → a line an input in a local file."""

    def __init__(self, found: FindTasks, path: str) -> None:
        super().__init__()
        self._found = found
        self._path = path

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        return (root | self._found).tasks | beam.Map(self._write)

    def _write(self, task: Task) -> None:
        line = f"{task.named.source.name}\t{action(task)}\n"
        with open(self._path, "ab") as file:  # noqa: PTH123 (called once a photo)
            file.write(line.encode("utf-8", "surrogateescape"))
