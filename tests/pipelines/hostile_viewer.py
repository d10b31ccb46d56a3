"""The viewer's handler, with what broken decoders do; without the loops that the handlers in `hostile` load."""

from typing import Any

from misbehaviour import misbehave

from pipelines.viewer.pictures import draw


def broken_draw(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return draw(parent, data, *arguments)
