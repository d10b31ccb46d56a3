"""Processes that open photos, handed from one job to the next: to start them takes as long as a small job.

A job gets one only if it would start one like it: for the same handler, in the same environment and folder. A photo
that wants a fresh process gets it. Commands that tests run as processes of their own start theirs, as users' do.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipelines import notices
from pipelines.runtime import lifeline, photo_process
from pipelines.runtime.photo_child import PhotoProcess
from pipelines.runtime.photo_process import PhotoProcesses

_MOST = 4  # they take 100 MB each
# Of a test, of a job for its workers, and what the first job sets after it has started these processes early.
_PASSING = {"PYTEST_CURRENT_TEST", notices._VARIABLE, lifeline.VARIABLE, "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS"}
_handle, _end, _started = PhotoProcesses.call, PhotoProcesses.close, PhotoProcesses._started
_start_early = photo_process.start_early


class _Kept(PhotoProcess):
    """A process that knows where it was started."""

    def __init__(self, handler: str) -> None:
        self.surroundings = _surroundings(handler)
        super().__init__(handler)

    def is_alive(self) -> bool:
        return self._process.poll() is None


def _surroundings(handler: str) -> object:
    environment = {name: value for name, value in os.environ.items() if name not in _PASSING}
    return handler, environment, tuple(sys.path), os.getcwd()  # noqa: PTH109


class _Shelf:
    """The processes that no job uses, the one that was used last at the end."""

    def __init__(self) -> None:
        self._idle: list[_Kept] = []
        self._lock = threading.Lock()

    def take(self, handler: str) -> _Kept:
        """Gives a process that an earlier job left, or a new one."""
        wanted = _surroundings(handler)
        with self._lock:
            for process in reversed(self._idle):
                if process.surroundings == wanted:
                    self._idle.remove(process)
                    if process.is_alive():
                        return process
                    process.close()
                    break
        return _Kept(handler)

    def put(self, process: _Kept) -> None:
        """Takes a process that a job leaves, and ends the one that has been here longest if there are many."""
        with self._lock:
            self._idle.append(process)
            if len(self._idle) > _MOST:
                self._idle.pop(0).close()

    def clear(self) -> None:
        while self._idle:
            self._idle.pop().close()


_SHELF = _Shelf()


def put_back() -> None:
    """Takes processes that were started early and that no photo needed."""
    for early in photo_process._early.values():
        while early._started or early._left:
            if process := early.take():
                _leave(process)


def _leave(process: PhotoProcess) -> None:
    if isinstance(process, _Kept):
        _SHELF.put(process)
    else:  # started where none is kept
        process.close()


@contextmanager
def kept() -> Iterator[None]:
    """Hands processes on within the block."""
    this = threading.local()

    def call(processes: PhotoProcesses, *arguments: Any, alone: bool = False, **more: Any) -> Any:
        this.alone = alone
        try:
            return _handle(processes, *arguments, alone=alone, **more)
        finally:
            this.alone = False

    def is_alone() -> bool:
        return getattr(this, "alone", False)

    def close(processes: PhotoProcesses) -> None:
        if is_alone():
            _end(processes)
        while processes._idle:
            _leave(processes._idle.pop())

    def started(processes: PhotoProcesses) -> PhotoProcess:
        # A process that was started early may have come from the shelf.
        return _Kept(processes._handler) if is_alone() else _started(processes)

    def start_early(handler: str, number: int) -> None:
        put_back()
        _start_early(handler, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PhotoProcesses, "call", call)
        patch.setattr(PhotoProcesses, "close", close)
        patch.setattr(PhotoProcesses, "_started", started)
        patch.setattr(photo_process, "PhotoProcess", _SHELF.take)
        patch.setattr(photo_process, "start_early", start_early)
        yield
    put_back()
    _SHELF.clear()


@contextmanager
def not_kept() -> Iterator[None]:
    """Lets each job within the block start and end its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PhotoProcesses, "call", _handle)
        patch.setattr(PhotoProcesses, "close", _end)
        patch.setattr(PhotoProcesses, "_started", _started)
        patch.setattr(photo_process, "PhotoProcess", PhotoProcess)
        patch.setattr(photo_process, "start_early", _start_early)
        yield
