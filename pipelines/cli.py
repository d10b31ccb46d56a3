"""The command line ``autochrome``: one word for each program."""

import importlib
import sys
from importlib.metadata import version

from pipelines import commands

_COMMANDS = {
    "prepare": ("pipelines.prepare", "photos → Lab TFRecords, grey ones left out (Beam)"),
    "train": ("model.train", "Lab TFRecords → SavedModel (tf.distribute)"),
    "evaluate": ("model.evaluate", "scores of a SavedModel beside the grey baseline"),
    "colorize": ("pipelines.colorize", "photos + SavedModel → photos in colour (Beam)"),
    "report": ("pipelines.report", "what became of every photo, and a page to look through them"),
    "plan": ("pipelines.estimate", "what colorizing a collection will take, measured on a sample"),
    "inspect": ("pipelines.inspect", "what a folder of Lab TFRecords holds"),
}


def _help() -> str:
    lines = [f"  {name:<10}{what}" for name, (_, what) in _COMMANDS.items()]
    return "\n".join(
        [
            "usage: autochrome COMMAND [--flags]",
            "",
            "Colorize whole photo archives.",
            "",
            *lines,
            "",
            "autochrome COMMAND --help shows its flags, autochrome --version the version.",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0, 1 for a failed job, 2 for what the user can mend."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"autochrome {version('autochrome')}")
        return 0
    if arguments[0] not in _COMMANDS:
        known = ", ".join(_COMMANDS)
        print(f"autochrome: error: unknown command {arguments[0]}; the commands are {known}", file=sys.stderr)
        return 2
    module = importlib.import_module(_COMMANDS[arguments[0]][0])
    return commands.run(module.main, arguments[1:])


if __name__ == "__main__":
    sys.exit(main())
