"""Checks of configurations: values in text, ranges of fields, and fields that another one makes meaningless."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tfrecords.errors import UserError

if TYPE_CHECKING:
    from model.config import Config

OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine")
STORED = ("float32", "float16")
PRECISIONS = ("float32", "bfloat16", "float16")
MOST_SEED = 2**53
"""Seeds of layers are multiples of it and must fit into 64 bits."""
_BOOLEANS = {"true": True, "false": False}


def check(config: Config) -> None:
    """Raise UserError if a field is out of range, contradicts another one or would be ignored."""
    for field in ("width", "size", "resolution", "batch_size", "epochs", "validate_every", "patience"):
        if getattr(config, field) < 1:
            raise UserError(f"{field} must be at least 1, not {getattr(config, field)}")
    if not 0 <= config.seed <= MOST_SEED:
        raise UserError(f"seed must be from 0 to {MOST_SEED}, not {config.seed}")
    for field in ("warmup_steps", "weight_decay", "clip_norm"):
        if not 0 <= getattr(config, field) < math.inf:
            raise UserError(f"{field} must be 0 or more, not {getattr(config, field)}")
    for field in ("learning_rate", "temperature"):
        if not 0 < getattr(config, field) < math.inf:
            raise UserError(f"{field} must be more than 0, not {getattr(config, field):g}")
    if not 0 <= config.most_spread < math.inf:
        raise UserError(f"most_spread must be 0 or more, not {config.most_spread:g}")
    bounds = (
        ("rebalance", 0 <= config.rebalance <= 1),
        ("averaging", 0 <= config.averaging < 1),
        ("film", 0 <= config.film <= 1),
        ("mounts", 0 <= config.mounts <= 1),
        ("hints", 0 <= config.hints <= 1),
        ("prior_adjustment", 0 <= config.prior_adjustment <= 1),
    )
    for field, within in bounds:
        if not within:
            raise UserError(f"{field} must be from 0 to 1, not {getattr(config, field):g}")
    if not 0 < config.crop <= 1:
        raise UserError(f"crop must be more than 0 and at most 1, not {config.crop:g}")
    choices = (
        ("optimizer", OPTIMIZERS),
        ("schedule", SCHEDULES),
        ("stored", STORED),
        ("precision", PRECISIONS),
    )
    for field, values in choices:
        if getattr(config, field) not in values:
            raise UserError(f"{field} must be one of {', '.join(values)}, not {getattr(config, field)!r}")
    _refuse_what_would_be_ignored(config)
    for field in ("resolution", "export_resolution"):
        side = getattr(config, field)
        if side < 0 or side % 8:
            raise UserError(f"{field} must be divisible by 8, not {side}")
        if side > config.size:
            raise UserError(f"{field} {side} must not be more than size {config.size}")


def _refuse_what_would_be_ignored(config: Config) -> None:
    """Raise UserError if a field is set that the loss or the optimizer does not read."""
    needs = (
        ("weight_decay", 0, "optimizer", "adamw"),
        ("rebalance", 0, "loss", "cross_entropy"),
        ("temperature", 1, "loss", "cross_entropy"),
        ("prior_adjustment", 0, "loss", "cross_entropy"),
        ("most_spread", 0, "loss", "cross_entropy"),
    )
    for field, without, other, needed in needs:
        value, found = getattr(config, field), getattr(config, other)
        if value != without and found != needed:
            raise UserError(
                f"{field} {value:g} needs {other} {needed}, not {found}; set {field}={without} or {other}={needed}"
            )


def parsed(name: str, text: str, kind: str) -> int | float | bool | str:
    """Return the value of a field whose annotation is `kind`.

    Raises:
        UserError: the text is not of that kind.
    """
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return _BOOLEANS[text.lower()]
            case _:
                return text
    except (ValueError, KeyError) as error:
        expected = {"int": "a whole number", "float": "a number", "bool": "true or false"}[kind]
        raise UserError(f"--set {name}={text}: {name} is {expected}") from error
