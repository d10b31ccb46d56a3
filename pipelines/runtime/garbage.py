"""When Python looks for garbage: not where there is none, among the million objects that Beam's modules are made of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none() -> Iterator[None]:
    """Look for none within the block, which imports modules, and never among what exists at its end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def at_exit() -> None:
    """Look for none when the program ends, which would take 0.3 seconds."""
    gc.freeze()
