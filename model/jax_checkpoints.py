"""Checkpoints of training on JAX: one file each, which is there whole or not at all.

OUTPUT/checkpoints/ckpt-120.npz     arrays, each with a checksum (zip's), and figures in JSON; the last two are kept

The newest one that can be read is taken. One that cannot is named, and removed when the run saves again.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import writing
from tfrecords.errors import UserError

FOLDER = "checkpoints"
KEPT = 2

_FILE = re.compile(r"ckpt-(\d+)\.npz")
_FIGURES = "figures.json"
_TORN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile)

Arrays = list[NDArray[Any]]


@dataclasses.dataclass(kw_only=True)
class Figures:
    """How a run stands, besides its arrays.

    Attributes:
        step: optimizer steps done.
        seconds: of training and validation so far, over all runs.
        best_loss: the lowest validation loss; infinite before the first.
        best_step: the step at which it was.
        worse: validations since then.
        due: whether a validation is due, which a signal kept from ending.
        reserve: seconds that the last validation took.
    """

    step: int = 0
    seconds: float = 0.0
    best_loss: float = math.inf
    best_step: int = 0
    worse: int = 0
    due: bool = False
    reserve: float = 0.0


class Checkpoints:
    """The checkpoints of a training folder.

    Attributes:
        torn: paths of those that `restore` could not read.
    """

    def __init__(self, output: str) -> None:
        """Take the folder of a run."""
        self.torn: list[str] = []
        self._folder = Path(output) / FOLDER

    def restore(self, like: Sequence[Any]) -> tuple[Figures, Arrays] | None:
        """Return the newest whole checkpoint; None where there are none.

        Args:
            like: arrays of the types and shapes that are expected.

        Raises:
            UserError: all are torn, or one holds other arrays.
        """
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            try:
                figures, arrays = _read(path)
            except _TORN:
                self.torn.append(str(path))
                continue
            if [(one.shape, one.dtype) for one in arrays] != [(one.shape, one.dtype) for one in like]:
                raise UserError(
                    f"{path} was written by another version of the network; choose another --output or install that "
                    "version"
                )
            return figures, arrays
        if self.torn:
            raise UserError(f"no checkpoint in {self._folder} can be read; remove the folder to start again")
        return None

    def save(self, figures: Figures, arrays: Sequence[Any]) -> None:
        """Save a checkpoint; torn ones and older ones than the last two are deleted.

        Raises:
            DeniedError: the folder may not be written.
            OutageError: the disk is full or fails.
        """
        with writing.named(str(self._folder)):
            self._save(figures, arrays)

    def _save(self, figures: Figures, arrays: Sequence[Any]) -> None:
        path = self._path(figures.step)
        partial = path.with_suffix(".partial")
        text = json.dumps(dataclasses.asdict(figures)).encode()
        stored: dict[str, Any] = {_FIGURES: np.frombuffer(text, np.uint8)}
        stored |= {f"array_{number:05d}": np.asarray(array) for number, array in enumerate(arrays)}
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.glob("ckpt-*.partial"):  # of a run that was killed
            left.unlink()
        with partial.open("wb") as file:
            np.savez(file, **stored)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        self.torn = [torn for torn in self.torn if torn != str(path)]
        whole = {number for number in self._numbers() if str(self._path(number)) not in self.torn}
        kept = sorted(number for number in whole if number <= figures.step)[-KEPT:]
        for number in self._numbers() - set(kept):
            self._path(number).unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"ckpt-{number}.npz"

    def _numbers(self) -> set[int]:
        names = (path.name for path in self._folder.iterdir()) if self._folder.is_dir() else ()
        return {int(found[1]) for name in names if (found := _FILE.fullmatch(name))}


def _read(path: Path) -> tuple[Figures, Arrays]:
    with np.load(path, allow_pickle=False) as stored:
        figures = Figures(**json.loads(stored[_FIGURES].tobytes()))
        return figures, [stored[name] for name in sorted(set(stored.files) - {_FIGURES})]
