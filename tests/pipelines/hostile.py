"""Handlers of child processes that do what broken decoders do, when the photo says so; otherwise the jobs' own."""

from typing import Any

from misbehaviour import misbehave

from pipelines.archive.render import render, warm_up  # noqa: F401 (called when the process starts)
from pipelines.dataset.examples import convert


def broken_render(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return render(parent, data, *arguments)


def broken_convert(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return convert(parent, data, *arguments)


def modules(parent: Any, data: bytes) -> list[str]:
    """The modules that are loaded, the viewer's handler among them."""
    import sys

    import pipelines.viewer.pictures  # noqa: F401

    return sorted(sys.modules)
