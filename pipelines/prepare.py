"""The command `autochrome prepare`: make Lab TFRecords from a folder of photos.

Beam takes a second to import, so a mistyped path is found before (`pipelines.dataset.job` is the job).
"""

from model import interrupt
from pipelines import flags
from pipelines.dataset.converted import HANDLER
from pipelines.files import cloud, input_checks
from pipelines.files.list_parts import lists_of
from pipelines.runtime import beam_import, commands, local_threads, photo_process


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome prepare``."""
    args, beam_flags = flags.prepare().parse_known_args(argv)
    if beam_flags:
        with interrupt.at_once(), beam_import.without_connectors(beam_flags):
            from pipelines.runtime import runners
        runners.check_reach(runners.beam_options(beam_flags), input=args.input, output=args.output)
    input_checks.check_any(args.input, lists_of(args))
    cloud.check({"--output": args.output})
    input_checks.check_apart(args.input, args.output)
    if local_threads.is_one_process(beam_flags):
        # They are ready when Beam is.
        photo_process.start_early(HANDLER, local_threads.number(beam_flags))
    with interrupt.at_once(), beam_import.without_connectors(beam_flags):
        from pipelines.dataset import job
    job.run(args, beam_flags)
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.prepare")
