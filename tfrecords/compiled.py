"""Compile loops over pixels with Numba, once a machine.

Compiled code is kept beside the module of the loop or, where that cannot be written to, in the user's cache folder
(Numba's rules; ``NUMBA_CACHE_DIR`` names another one). Without any such folder each process compiles, which takes a
few seconds. Operations on floats are neither reordered nor fused, so all processors give the same bytes.

Numba takes a quarter of a second to import, so modules with loops are imported when a photo is worked on.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numba.core import event

_LOG = logging.getLogger(__name__)
_NOTICEABLE_S = 1.0
Function = TypeVar("Function", bound=Callable[..., Any])

helper: Callable[[Function], Function] = njit(error_model="numpy", nogil=True)
"""Decorates a function that compiled loops call."""


def compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: the function's first call compiles it, or loads what an earlier process compiled.

    Args:
        signature: types of the result and the arguments, in Numba's notation. Arguments that cannot be written to are
            copied.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.cache
        def ready() -> Callable[..., Any]:
            made: Callable[..., Any]
            with event.install_listener("numba:compile", _Notice()):
                try:
                    made = njit(signature, cache=True, error_model="numpy", nogil=True)(function)
                except Exception:  # no folder can be written to, or a file in it is damaged: any error
                    made = njit(signature, error_model="numpy", nogil=True)(function)
            return made

        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            return ready()(*map(_writable, arguments))

        return call

    return decorate


def _writable(argument: Any) -> Any:
    """Return a copy of an array that cannot be written to: to Numba, it has another type."""
    is_read_only = isinstance(argument, np.ndarray) and not argument.flags.writeable
    return argument.copy() if is_read_only else argument


class _Notice(event.Listener):  # type: ignore[misc]
    """Logs a line if compiling takes long; loading what an earlier process compiled is no such event."""

    def __init__(self) -> None:
        self._timers: list[threading.Timer] = []

    def on_start(self, event: event.Event) -> None:
        timer = threading.Timer(_NOTICEABLE_S, _tell)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def on_end(self, event: event.Event) -> None:
        self._timers.pop().cancel()


def _tell() -> None:
    _LOG.info("compiling loops over pixels for this machine; it takes a few seconds, the first time only")
