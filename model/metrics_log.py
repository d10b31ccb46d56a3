"""The log of a run's figures, `metrics.jsonl` in its training folder: one line a report."""

from __future__ import annotations

import json
from typing import Any

from model import whole_files, writing
from tfrecords.errors import UserError
from tfrecords.uris import is_remote

METRICS_FILE = "metrics.jsonl"


class Metrics:
    """`metrics.jsonl`: one JSON object a report, in order of its `step`, without what a killed run wrote too much."""

    def __init__(self, output: str, step: int) -> None:
        """Continue the log of `output` after `step`; later lines are dropped, they will be measured again.

        Raises:
            DeniedError, OutageError: it cannot be written; so does `add`.
        """
        self._path = f"{output.rstrip('/')}/{METRICS_FILE}"
        self._lines = [line for line in read_metrics(output) if line["step"] <= step]
        self._write()

    @property
    def last(self) -> dict[str, Any]:
        """The last line, {} when there is none."""
        return self._lines[-1] if self._lines else {}

    def add(self, line: dict[str, Any]) -> None:
        """Append one line; to that of the same step, if the last line is, the figures are added."""
        again = self.last.get("step") == line["step"]
        if again:
            self._lines[-1] |= line
        else:
            self._lines.append(line)
        if again or is_remote(self._path):  # Objects in a bucket cannot be appended to.
            self._write()
        else:
            with writing.named(self._path):
                whole_files.append(self._path, json.dumps(line) + "\n")

    def _write(self) -> None:
        with writing.named(self._path):
            whole_files.write(self._path, "".join(json.dumps(line) + "\n" for line in self._lines))


def read_metrics(output: str) -> list[dict[str, Any]]:
    """Return the lines of a training folder's `metrics.jsonl`, [] when there is none; damaged lines are left out.

    Raises:
        UserError: it cannot be read.
    """
    path = f"{output.rstrip('/')}/{METRICS_FILE}"
    try:
        text = whole_files.read(path) or ""
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror or error}); allow it to be read, or move it"
        ) from error
    return [line for line in map(_parsed, text.splitlines(keepends=True)) if line]


def _parsed(line: str) -> dict[str, Any]:
    """Return the figures of a line; {} if it is damaged, as the last one of a killed run is."""
    try:
        found = json.loads(line) if line.endswith("\n") else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("step"), int) else {}
