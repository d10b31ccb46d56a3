"""Functions that are replaced for one thread: others of the process may be at work, and must not meet the faults."""

import threading
from collections.abc import Callable
from typing import Any


def here(changed: Callable[..., Any], whole: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is `changed` in the thread that asks for this, and `whole` in all others."""
    thread = threading.get_ident()

    def function(*given: Any, **named: Any) -> Any:
        return (changed if threading.get_ident() == thread else whole)(*given, **named)

    return function
