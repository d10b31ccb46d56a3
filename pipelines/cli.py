"""The command line ``autochrome``: one word for each program."""

import sys

from model import interrupt

with interrupt.at_once():
    import importlib

    from model.terminal import say
    from pipelines import flags
    from pipelines.runtime import commands
    from tfrecords.errors import UserError

_COMMANDS = {
    "prepare": ("pipelines.prepare", "photos → Lab TFRecords, grey ones left out (Beam)"),
    "train": ("model.train", "Lab TFRecords → SavedModel (tf.distribute)"),
    "evaluate": ("model.evaluate", "scores of a SavedModel beside the grey baseline"),
    "colorize": ("pipelines.colorize", "photos + SavedModel → photos in colour (Beam)"),
    "report": ("pipelines.report", "what became of every photo, and a page to look through them"),
    "plan": ("pipelines.plan", "what colorizing a collection will take, measured on a sample"),
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
    """Runs a command; returns the exit code: 0; 1 for a failed job; 2 for a user's mistake; 130 after Ctrl-C."""
    return commands.run(_run, argv)


def _run(argv: list[str] | None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from importlib.metadata import version

        say(f"autochrome {version('autochrome')}")
        return 0
    command, *rest = arguments
    if command not in _COMMANDS:
        raise UserError(f"unknown command {command}; the commands are {', '.join(_COMMANDS)}")
    if command in flags.PARSERS:
        flags.check(command, rest)
    with interrupt.at_once():
        module = importlib.import_module(_COMMANDS[command][0])
    return int(module.main(rest))


if __name__ == "__main__":
    sys.exit(main())
