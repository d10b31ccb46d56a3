"""Models that make photos: that of a run, and those that rules choose for some of them."""

from dataclasses import dataclass
from typing import Any

from model import saved_model


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is known about a model before it is loaded.

    Attributes:
        path: the SavedModel folder, or one of `model.saved_model.SHIPPED`.
        name: of its configuration.
        digest: by which it is known, see `model.saved_model.digest`.
        takes_hints: whether it takes hints.
        data: what it was trained on, as its ``autochrome.json`` says.
    """

    path: str
    name: str
    digest: str
    takes_hints: bool = False
    data: Any = None


def load(path: str) -> Model:
    """Read what is known about the model in a folder; UserError if there is none."""
    about = saved_model.check(path)
    return Model(
        path=path,
        name=str(about["name"]),
        digest=saved_model.digest(path),
        takes_hints=saved_model.HINT_SIDE in about,
        data=about.get("data"),
    )
