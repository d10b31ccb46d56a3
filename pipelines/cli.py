"""The command line ``autochrome`` with one subcommand for each program."""

import sys

from model import interrupt, terminal

terminal.reopen()
with interrupt.at_once():
    import importlib

    from model.commands import did_you_mean, listed
    from model.terminal import say, starting
    from pipelines import flags
    from pipelines.runtime import commands, garbage
    from tfrecords.errors import UserError

_COMMANDS = {
    "prepare": ("pipelines.prepare", "turn colour photos into Lab TFRecords to train on"),
    "train": ("model.train", "train a model on these records"),
    "evaluate": ("model.evaluate", "score models against the true colours"),
    "export": ("model.exporting", "export trained weights as a model, with other ways to decode"),
    "colorize": ("pipelines.colorize", "colorize photos; uses the released model unless told otherwise"),
    "report": ("pipelines.report", "show what became of every photo, and make a page to browse them"),
    "detect": ("pipelines.detect", "say whether a machine coloured a picture, and how that is known"),
    "apply": ("pipelines.apply", "rebuild colour photos from scans and the sidecars of `colorize`"),
    "verify": ("pipelines.verify", "hash a colorized folder again, and say what differs from its records"),
    "deliver": ("pipelines.deliver", "put colour photos into bags, with PREMIS, IIIF manifests and a table"),
    "plan": ("pipelines.plan", "estimate what colorizing a collection will take"),
    "inspect": ("pipelines.inspect", "show and verify what a folder of Lab TFRecords holds"),
    "pack": ("pipelines.pack", "make these records small, for machines that train with JAX"),
}


def _help() -> str:
    lines = [f"  {name:<10}{what}" for name, (_, what) in _COMMANDS.items()]
    return "\n".join(
        [
            "usage: autochrome COMMAND [flags]",
            "",
            "Colorize whole photo archives, and train the models that do it.",
            "",
            *lines,
            "",
            "example: autochrome colorize --input scans --output colour",
            "",
            "`autochrome COMMAND --help` shows a command's flags, `autochrome --version` the",
            "version. Exit codes: 0 done, 1 failed, 2 usage error, 130 interrupted.",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Run a command; return the exit code: 0, 1 for a failed job, 2 for a user error, 130 after Ctrl-C."""
    code = commands.run(_run, argv)
    if argv is None:
        garbage.at_exit()
    return code


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
        hint = did_you_mean(command, _COMMANDS) or f"the commands are {listed(_COMMANDS)}"
        raise UserError(f"unknown command {command}; {hint}")
    flags.check(command, rest)
    if argv is None:  # called from a command line, where a user waits at a terminal
        starting()
    with interrupt.at_once():
        module = importlib.import_module(_COMMANDS[command][0])
    return int(module.main(rest))


if __name__ == "__main__":
    sys.exit(main())
