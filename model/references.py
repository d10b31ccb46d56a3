"""Configurations, networks and losses from modules outside this package, named as `module:name`.

The module may be installed, or lie in the current folder.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfrecords.errors import UserError

if TYPE_CHECKING:
    import keras

    from model.config import Config


def is_one(name: str) -> bool:
    """Tell whether a name is a reference, and not that of something in this package."""
    return ":" in name


def load(reference: str, what: str) -> Any:
    """Return what `module:name` names.

    Args:
        reference: the module, with dots, and the name in it.
        what: is looked for, for messages.

    Raises:
        UserError: there is no such module, it cannot be imported, or it has no such name.
    """
    module, _, name = reference.partition(":")
    if not module or not name:
        raise UserError(f"{what} {reference} must be written as module:name")
    if str(Path.cwd()) not in sys.path:  # The console script does not look there.
        sys.path.insert(0, str(Path.cwd()))
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        place = "" if f"{module}.".startswith(f"{missing}.") else f", which {module} imports"
        raise UserError(
            f"{what} {reference}: there is no module {missing}{place}; install it, or start in the folder that holds it"
        ) from error
    except Exception as error:  # A module may do anything.
        raise UserError(f"{what} {reference}: {module} cannot be imported ({_reason(error)})") from error
    if not hasattr(imported, name):
        raise UserError(f"{what} {reference}: module {module} has no {name}")
    return getattr(imported, name)


def config(reference: str) -> Config:
    """Return a configuration: a `model.config.Config`, or what a function without arguments returns.

    Raises:
        UserError: see `load`; or it is something else, or the function fails.
    """
    from model.config import Config

    found = load(reference, "--config")
    if callable(found):
        found = _called(found, f"--config {reference}")
    if type(found) is not Config:
        raise UserError(
            f"--config {reference} must be a model.config.Config, or a function that returns one, and is {_kind(found)}"
        )
    return found


def network(config: Config, channels: int, hints: int) -> keras.Model:
    """Return the network of a configuration whose `network` is a reference: a function of the configuration.

    Args:
        config: that names it.
        channels: that its output must have.
        hints: channels of its second input, if it has one.

    Raises:
        UserError: see `load`; or it is no function, it fails, or it returns no network of the shape that is needed.
    """
    import keras

    name = f"network {config.network}"
    made = _called(_function(config.network, "network"), name, config)
    if not isinstance(made, keras.Model):
        raise UserError(f"{name} must return a keras.Model, not {_kind(made)}")
    taken, given = [list(one.shape) for one in made.inputs], tuple(made.output_shape)
    wanted = [[None, config.resolution, config.resolution, count] for count in (1, hints)]
    if taken not in (wanted[:1], wanted):
        raise UserError(
            f"{name} must take luminance {wanted[0]}, and may take hints {wanted[1]}, not {', '.join(map(str, taken))}"
        )
    sides = given[1:3]
    if len(given) != 4 or sides[0] != sides[1] or config.resolution % (sides[0] or 1) or given[3] != channels:
        raise UserError(
            f"{name} must give [None, s, s, {channels}] with s a divisor of {config.resolution} (loss {config.loss}), "
            f"not {list(given)}"
        )
    return made


def loss(reference: str) -> Callable[[Any, Any], Any]:
    """Return a loss: a function of the true chroma ``[N, s, s, 2]`` and the output, which returns ``[N]``.

    Raises:
        UserError: see `load`; or it is no function.
    """
    return _function(reference, "loss")


def check_loss(reference: str, truth: Any, output: Any) -> None:
    """Make sure that a loss returns one number an example.

    Raises:
        UserError: it does not, or it fails.
    """
    each = _called(loss(reference), f"loss {reference}", truth, output)
    if tuple(getattr(each, "shape", ())) != (truth.shape[0],):
        raise UserError(f"loss {reference} must return one number an example, [N], not {_kind(each)}")


def _function(reference: str, what: str) -> Callable[..., Any]:
    found: Callable[..., Any] = load(reference, what)
    if not callable(found):
        raise UserError(f"{what} {reference} must be a function, and is {_kind(found)}")
    return found


def _called(function: Callable[..., Any], name: str, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except UserError:
        raise
    except Exception as error:  # A function may do anything.
        raise UserError(f"{name} fails ({_reason(error)})") from error


def _kind(found: Any) -> str:
    shape = getattr(found, "shape", None)
    return f"of type {type(found).__name__}" if shape is None else f"of shape {list(shape)}"


def _reason(error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
