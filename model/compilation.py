"""Numba, as this package uses it: loops that are compiled once a machine and give the same bits on every processor.

Compiled code is kept beside the file of a loop or, where that cannot be written to, in the user's cache folder (Numba's
rules; ``NUMBA_CACHE_DIR`` names another one). Without any such folder each process compiles, which takes a few seconds.
Numba takes a quarter of a second to import, so modules with loops are imported when they are first needed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

helper: Callable[[Function], Function] = njit(error_model="numpy", nogil=True)
"""Mark a function that only compiled loops call."""


def compiled(signature: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: the function's first call compiles it, or loads what an earlier process compiled."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.cache
        def ready() -> Callable[..., None]:
            made: Callable[..., None]
            try:
                made = njit(signature, cache=True, error_model="numpy", nogil=True)(function)
            except Exception:  # no folder can be written to, or a file in it is damaged: any error
                made = njit(signature, error_model="numpy", nogil=True)(function)
            return made

        @functools.wraps(function)
        def call(*arguments: Any) -> None:
            ready()(*arguments)

        return call

    return decorate
