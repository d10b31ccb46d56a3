"""Configurations: what is trained and how, as frozen dataclasses made by small functions.

Every configuration is one function that returns a `Config`; `mini` makes its miniature twin (`…_mini`) for smoke tests.
Any field can be overridden by `name=value` (`override`). The whole configuration is stored with every run, every
checkpoint folder and every export. This module does not import TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from model import config_checks, references
from tfrecords.errors import UserError

EXPORT_ONLY = ("size", "temperature", "stored", "export_resolution", "prior_adjustment", "most_spread")
"""Fields that shape the exported model and not how it is trained: a trained run can be exported again with others."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """One training configuration.

    Attributes:
        name: what the configuration is called on the command line.
        network: the architecture, a key of `model.networks.NETWORKS` or `module:name` (see `model.references`).
        width: filters of the network's first layer, or of its last where the encoder is EfficientNet's; the others are
            multiples of it.
        pretrained: the encoder starts from published weights (`model.pretrained`); needs a network with this encoder.
        size: side of the exported model's input and output, in pixels.
        resolution: side in pixels at which the network sees the luminance, at most `size` and the prepared pictures'
            side; divisible by 8.
        loss: a key of `model.losses.LOSSES` or `module:name`; `cross_entropy` makes the network classify quantised ab.
        rebalance: exponent in [0, 1] by which rare colours weigh more in `cross_entropy`; 0 weighs all alike.
        temperature: of the annealed mean that turns classes into one ab, above 0; 1 is the mean. Needs `cross_entropy`.
        optimizer: one of `model.config_checks.OPTIMIZERS`.
        learning_rate: the highest one.
        weight_decay: of all weights; needs `adamw`.
        warmup_steps: steps in which the learning rate grows from 0.
        schedule: after the warm-up, `constant` or `cosine`, which falls to 1 %.
        clip_norm: the longest gradient, all weights together; 0 does not clip.
        averaging: decay a step of the running mean of the weights that is exported; 0 takes the last.
        batch_size: examples in one optimizer step, all replicas together.
        epochs: passes over the training examples, at most.
        validate_every: steps between two validations.
        patience: validations in a row without improvement after which training stops.
        crop: smallest side of the random square cut from an example, as a part of its side; 1 cuts nothing.
        flip: mirror half of the training examples left to right.
        film: part of the training examples whose luminance is made that of historic film (see `model.film`).
        mounts: part of the training examples that are mounted or worn (see `model.mounts`).
        hints: part of the training examples with some colours given (`model.hints`); the network must take them.
        seed: of the initial weights, the order of the examples, the crops and the flips.
        precision: in which training computes, one of `model.config_checks.PRECISIONS`; weights and exports are float32
            in each. All but `float32` are for accelerators.
        jit: whether TensorFlow trains with XLA, which is for accelerators; JAX always does.
        export_resolution: side at which the exported network sees the luminance; 0 takes `resolution`.
        prior_adjustment: α in [0, 1], see `model.export`; more is more vivid, and less sure.
        most_spread: spread of the possible colours of a place, in Lab units, at which it is left grey, see
            `model.decoding`; 0 leaves none grey.
        stored: in what the exported model keeps its weights, `float32` or `float16`; it computes in float32.
    """

    name: str
    network: str
    width: int
    pretrained: bool
    size: int
    resolution: int
    loss: str
    rebalance: float
    temperature: float
    optimizer: str
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    schedule: str
    clip_norm: float
    averaging: float
    batch_size: int
    epochs: int
    validate_every: int
    patience: int
    crop: float
    flip: bool
    film: float
    mounts: float = 0.0
    hints: float = 0.0
    seed: int
    precision: str = "float32"
    jit: bool = False
    export_resolution: int = 0
    prior_adjustment: float = 0.0
    most_spread: float = 0.0
    stored: str

    def __post_init__(self) -> None:
        config_checks.check(self)

    def override(self, assignments: Sequence[str]) -> Config:
        """Return the configuration with some fields set from text.

        Args:
            assignments: `name=value` each, the value as Python writes it; of the same name, the last counts.

        Raises:
            UserError: one is no such text, names no field, or its value is of the wrong type or out of range.
        """
        types = {field.name: field.type for field in dataclasses.fields(self) if field.name != "name"}
        values: dict[str, Any] = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            if not equals:
                raise UserError(f"--set takes name=value, not {assignment!r}")
            if name not in types:
                raise UserError(f"--set {assignment}: there is no field {name}; the fields are {', '.join(types)}")
            values[name] = config_checks.parsed(name, text, str(types[name]))
        return dataclasses.replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Rebuild a configuration from `to_dict`; fields that were added later have their defaults.

        Raises:
            UserError: a field is missing or unknown.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        added = {field.name for field in dataclasses.fields(cls) if field.default is not dataclasses.MISSING}
        if wrong := known.symmetric_difference({*values, *added}):
            raise UserError(f"stored configuration is not of this version: fields {', '.join(sorted(wrong))}")
        return cls(**values)


def autoencoder() -> Config:
    """Return Sayed et al.'s convolutional autoencoder at 256 x 256: mean squared error, Adam (see `model.networks`)."""
    return Config(
        name="autoencoder",
        network="autoencoder",
        width=32,
        pretrained=False,
        size=256,
        resolution=256,
        loss="mean_squared_error",
        rebalance=0.0,
        temperature=1.0,
        optimizer="adam",
        learning_rate=1e-3,
        weight_decay=0.0,
        warmup_steps=0,
        schedule="constant",
        clip_norm=0.0,
        averaging=0.0,
        batch_size=16,
        epochs=30,
        validate_every=200,
        patience=20,
        crop=1.0,
        flip=True,
        film=0.0,
        seed=0,
        stored="float32",
    )


def unet() -> Config:
    """Return the U-Net that classifies quantised ab, sees 128 px and takes 2.9 GFLOP an image: for a GPU or more."""
    return dataclasses.replace(
        unet_small(), name="unet", width=48, resolution=128, warmup_steps=1000, averaging=0.9995, batch_size=64
    )


def unet_small() -> Config:
    """Return the U-Net that classifies quantised ab, sees 64 px and takes 0.19 GFLOP an image: for hours of a CPU."""
    return Config(
        name="unet_small",
        network="unet",
        width=24,
        pretrained=False,
        size=256,
        resolution=64,
        loss="cross_entropy",
        rebalance=0.0,
        temperature=1.0,
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-2,
        warmup_steps=100,
        schedule="cosine",
        clip_norm=1.0,
        averaging=0.998,
        batch_size=32,
        epochs=100,
        validate_every=500,
        patience=20,
        crop=0.8,
        flip=True,
        film=0.0,
        seed=0,
        stored="float32",
    )


def released_1() -> Config:
    """Return what the first model that shipped was trained with, which `model/released_1` holds.

    A U-Net on EfficientNet-Lite0 that starts from published weights, sees 128 px and old film among its pictures, and
    takes 0.5 GFLOP an image.
    """
    return dataclasses.replace(
        unet_small(),
        name="released_1",
        network="efficientnet_unet",
        width=48,
        pretrained=True,
        resolution=128,
        learning_rate=1e-3,
        warmup_steps=300,
        averaging=0.999,
        patience=1000,
        crop=0.7,
        film=0.4,
        stored="float16",
    )


def released() -> Config:
    """Return what the model in `model/released_2` was trained with, from which that in `model/released` was fine-tuned.

    A U-Net with attention on EfficientNet-Lite2 that starts from published weights, sees 160 px, old film, mounts and
    hints among its pictures, and is exported to see 192 px, which takes 2.1 GFLOP an image.
    """
    return dataclasses.replace(
        released_1(),
        name="released",
        network="efficientnet_attention",
        width=64,
        resolution=160,
        weight_decay=2e-2,
        warmup_steps=500,
        averaging=0.9995,
        batch_size=256,
        epochs=50,
        crop=0.6,
        film=0.35,
        mounts=0.25,
        hints=0.3,
        temperature=0.5,
        export_resolution=192,
        prior_adjustment=0.05,
    )


def mini(config: Config) -> Config:
    """Return the miniature twin of a configuration: the same layers, narrow and small, for smoke tests."""
    return dataclasses.replace(
        config,
        name=f"{config.name}_mini",
        width=4,
        pretrained=False,
        size=32,
        resolution=32,
        export_resolution=0,
        warmup_steps=min(2, config.warmup_steps),
        averaging=min(0.9, config.averaging),
        batch_size=4,
        epochs=2,
    )


CONFIGS: dict[str, Config] = {
    config.name: config for config in (autoencoder(), released(), released_1(), unet(), unet_small())
}
CONFIGS |= {twin.name: twin for twin in map(mini, list(CONFIGS.values()))}


def by_name(name: str) -> Config:
    """Return the configuration called `name`, or the one that `module:name` names (see `model.references`).

    Raises:
        UserError: there is none; the message lists those there are.
    """
    if references.is_one(name):
        return references.config(name)
    if name not in CONFIGS:
        raise UserError(f"--config {name} is unknown; choose one of {', '.join(sorted(CONFIGS))}, or module:name")
    return CONFIGS[name]
