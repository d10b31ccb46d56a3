"""Configurations: what is trained and how, as frozen dataclasses made by small functions.

Every configuration is one function that returns a `Config`, and has a miniature twin (`…_mini`) for smoke tests. The
whole configuration is stored with every run and every export. This module does not import TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tfrecords.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """One training configuration.

    Attributes:
        name: what the configuration is called on the command line.
        network: the architecture, a key of `model.networks.NETWORKS`.
        width: filters of the network's first layer; the others are multiples of it.
        size: side of the square input and output in pixels; divisible by 8.
        loss: a key of `model.losses.LOSSES`.
        learning_rate: Adam's, constant.
        batch_size: examples in one optimizer step, all replicas together.
        epochs: passes over the training examples.
        flip: mirror half of the training examples left to right.
        seed: of the initial weights, the order of the examples and the flips.
    """

    name: str
    network: str
    width: int
    size: int
    loss: str
    learning_rate: float
    batch_size: int
    epochs: int
    flip: bool
    seed: int

    def __post_init__(self) -> None:
        for field in ("width", "size", "batch_size", "epochs"):
            if getattr(self, field) < 1:
                raise UserError(f"{field} must be at least 1, not {getattr(self, field)}")
        if self.size % 8:
            raise UserError(f"size must be divisible by 8, not {self.size}")
        if self.seed < 0:
            raise UserError(f"seed must be 0 or more, not {self.seed}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Rebuild a configuration from `to_dict`.

        Raises:
            UserError: a field is missing or unknown.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if wrong := known.symmetric_difference(values):
            raise UserError(f"stored configuration is not of this version: fields {', '.join(sorted(wrong))}")
        return cls(**values)


def autoencoder() -> Config:
    """Sayed et al.'s convolutional autoencoder, mean squared error and Adam, at 256 x 256 (see `model.networks`)."""
    return Config(
        name="autoencoder",
        network="autoencoder",
        width=32,
        size=256,
        loss="mean_squared_error",
        learning_rate=1e-3,
        batch_size=16,
        epochs=30,
        flip=True,
        seed=0,
    )


def autoencoder_mini() -> Config:
    """Return the miniature twin of `autoencoder`: the same layers, narrow and small, for smoke tests."""
    return dataclasses.replace(autoencoder(), name="autoencoder_mini", width=4, size=32, batch_size=4, epochs=2)


CONFIGS: dict[str, Callable[[], Config]] = {function.__name__: function for function in (autoencoder, autoencoder_mini)}


def by_name(name: str) -> Config:
    """Return the configuration called `name`.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    if name not in CONFIGS:
        raise UserError(f"there is no configuration {name!r}; choose one of {', '.join(sorted(CONFIGS))}")
    return CONFIGS[name]()
