"""The command `autochrome export`: trained weights in, a SavedModel out, with the decoding that is asked for."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import commands, quiet, saved_model
from model.config import EXPORT_ONLY, Config
from model.terminal import say
from tfrecords.errors import UserError
from tfrecords.uris import is_remote

if TYPE_CHECKING:
    from model.export import Data


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """What is exported.

    Attributes:
        config: it was trained with.
        arrays: as `keras.Model.get_weights` gives them.
        data: of the record: `fingerprint` of the set, and `source`, that of the records behind packs.
        training: figures of the record.
    """

    config: Config
    arrays: list[Any]
    data: dict[str, Any]
    training: dict[str, Any]


def parser() -> commands.Parser:
    """Return the flags of the command."""
    flags = commands.Parser(
        "export",
        "--weights PATH --data DIR --output DIR [flags]",
        "Make a saved_model of trained weights, with other ways to decode if you like.\nThe weights stay as they are.",
        "autochrome export --weights run/weights.npz --data packs --output model",
    )
    group = flags.add_argument_group()
    group.add_argument(
        "--weights",
        type=commands.path,
        required=True,
        metavar="PATH",
        help="weights.npz, a training folder, a saved_model, or `released`",
    )
    group.add_argument(
        "--data", type=commands.path, required=True, metavar="DIR", help="records or packs they were trained on"
    )
    group.add_argument("--output", type=commands.path, required=True, metavar="DIR", help="folder for the saved_model")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=f"set {commands.listed(EXPORT_ONLY, 'or')}"
    )
    commands.add_help(group)
    return flags


def decoding(config: Config, assignments: list[str]) -> Config:
    """Return a configuration with some fields set that only the export reads.

    Raises:
        UserError: a field shapes the training, or see `Config.override`.
    """
    for assignment in assignments:
        name = assignment.partition("=")[0]
        if "=" in assignment and hasattr(config, name) and name not in EXPORT_ONLY:
            raise UserError(
                f"--set {assignment}: {name} shapes the training; an export sets {commands.listed(EXPORT_ONLY)}"
            )
    return config.override(assignments)


def check_data(trained: Trained, data: Data, path: str) -> None:
    """Make sure that the weights were trained on a set.

    Raises:
        UserError: they were trained on another one.
    """
    known = {trained.data.get("fingerprint"), trained.data.get("source")}
    from model import packs

    source = data.source.get("fingerprint") if isinstance(data, packs.Contents) else None
    if not {data.fingerprint, source} & (known - {None}):
        raise UserError(
            f"--data {path} is another set than the one that these weights were trained on (fingerprint "
            f"{str(trained.data.get('fingerprint'))[:12]}); give that one"
        )


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Raises:
        UserError: something that the user can correct.
    """
    args = parser().parse_args(argv)
    from model import google_cloud

    google_cloud.check_all({"--weights": args.weights, "--data": args.data, "--output": args.output})
    with quiet.startup():
        from model import export
        from tfrecords import dataset

    trained = _trained(args.weights)
    config = decoding(trained.config, args.set)
    from model import packs

    packed = not is_remote(args.data) and packs.is_pack(args.data)
    data: Data = packs.describe(args.data) if packed else dataset.read_description(args.data)
    check_data(trained, data, args.data)
    _check_output(args.output)
    export.check(config, data)
    export.write(args.output, config, trained.arrays, data, trained.training)
    found = [f"{name} {getattr(config, name)}" for name in EXPORT_ONLY]
    say(f"{args.output}  {', '.join(found)}")
    return 0


def _trained(path: str) -> Trained:
    """Return the weights at a path: of a file, a training folder or a model.

    Raises:
        UserError: there are none.
    """
    from model import weights

    if not is_remote(path) and (Path(path) / weights.FILE).is_file():
        path = str(Path(path) / weights.FILE)
    if weights.is_weights(path):
        stored = weights.read(path)
        return Trained(config=stored.config, arrays=stored.arrays, data=stored.data, training=stored.training)
    if path not in saved_model.SHIPPED and saved_model.is_whole(saved_model.folder(f"{path.rstrip('/')}/saved_model")):
        path = f"{path.rstrip('/')}/saved_model"
    record = saved_model.check(path)
    from model import initial

    try:
        config, data, training = Config.from_dict(record["config"]), dict(record["data"]), dict(record["training"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"model {path} has a damaged {saved_model.RECORD}; export it again") from error
    return Trained(config=config, arrays=initial.read(path), data=data, training=training)


def _check_output(path: str) -> None:
    """Raise UserError if an export would replace anything but a model, or cannot make its folder."""
    place = Path(path).absolute()
    if is_remote(path):
        return
    above = next(folder for folder in place.parents if folder.exists())
    if not above.is_dir():
        raise UserError(f"output {path} cannot be written: {above.name} is a file; choose another --output")
    if not place.exists() or saved_model.is_whole(path):
        return
    if not place.is_dir() or any(place.iterdir()):
        raise UserError(f"output {path} is not a model and not empty; choose another --output")


if __name__ == "__main__":
    sys.exit(commands.run(main))
