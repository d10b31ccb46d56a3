"""The command `autochrome colorize`: colorize a folder of photos, or a single photo, at full resolution.

Beam takes a second to import and is needed by the job only (`pipelines.archive.job`), so a single photo and a mistyped
path come before it.
"""

import argparse
from dataclasses import replace

from model import interrupt, saved_model
from pipelines import flags
from pipelines.archive import chroma_file, mtimes, single
from pipelines.archive import signing as signings
from pipelines.archive.provenance import Recipe, settings_of
from pipelines.files import cloud, input_checks, storage
from pipelines.files.list_parts import lists_of
from pipelines.guidance import planning
from pipelines.runtime import beam_import, commands, local_threads, photo_process
from tfrecords.errors import UserError


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome colorize``."""
    args, beam_flags = flags.colorize().parse_known_args(argv)
    if beam_flags:
        _check_beam_flags(args, beam_flags)
    if args.limit and args.sample:
        raise UserError("--limit and --sample cannot be combined; give one of them")
    if args.keep_existing and args.replace_changed:
        raise UserError("--keep_existing and --replace_changed cannot be combined; give one of them")
    if args.keep_mtime:
        mtimes.check([*args.input, args.output])
    input_checks.check_any(args.input, lists_of(args))
    sidecars = "" if args.sidecar == chroma_file.ONLY else args.sidecar
    cloud.check({"--output": args.output, "--state": args.state, "--sidecar": sidecars})
    if args.sign and args.sidecar == chroma_file.ONLY:
        raise UserError("--sign signs pictures, and with --sidecar only there are none; leave out one of them")
    if file_format := single.file_format(args.input, args.output):
        if args.state:
            raise UserError(f"--state is for folders; leave it out where --output is a file ({args.output})")
        if args.sidecar:
            raise UserError(f"--sidecar is for folders; leave it out where --output is a file ({args.output})")
        if args.format not in ("keep", file_format):
            raise UserError(
                f"--format {args.format} does not fit --output {args.output}; leave out --format, or change the ending"
            )
        settings = replace(settings_of(args), format=file_format)
        plan = planning.of(args)
        planning.check_photo(plan, storage.normalized(args.input[0]).rpartition("/")[2])
        signing = signings.of_flags(args)
        recipe = Recipe.of(args.model, settings, plan=plan, signing=signing)
        return single.run(
            args.input[0],
            args.output,
            args.model,
            recipe,
            keep=args.keep_existing,
            dry=args.dry_run,
            keep_mtime=args.keep_mtime,
        )
    input_checks.check_apart(args.input, args.output)
    if args.state:
        input_checks.check_apart(args.input, args.state, "--state")
    if sidecars:
        input_checks.check_apart(args.input, sidecars, "--sidecar")
        input_checks.check_apart([args.output], sidecars, "--sidecar")
    if local_threads.is_one_process(beam_flags) and not args.dry_run:
        # They are ready when Beam is.
        photo_process.start_early("pipelines.archive.render:render", local_threads.number(beam_flags))
    with interrupt.at_once(), beam_import.without_connectors(beam_flags):
        from pipelines.archive import job
    job.run(args, beam_flags)
    return 0


def _check_beam_flags(args: argparse.Namespace, beam_flags: list[str]) -> None:
    """Check Beam's flags, and that the workers they ask for can reach the files."""
    with interrupt.at_once(), beam_import.without_connectors(beam_flags):
        from pipelines.runtime import runners
    options = runners.beam_options(beam_flags)
    runners.check_reach(options, input=args.input, output=args.output)
    if args.state:
        runners.check_reach(options, state=args.state)
    if args.sidecar and args.sidecar != chroma_file.ONLY:
        runners.check_reach(options, sidecar=args.sidecar)
    if args.sign_key:
        runners.check_reach(options, sign_key=args.sign_key)
    if args.hints:
        runners.check_reach(options, hints=args.hints)
    if args.model not in saved_model.SHIPPED:  # which every worker has
        runners.check_reach(options, model=args.model)


if __name__ == "__main__":
    commands.run_module("pipelines.colorize")
