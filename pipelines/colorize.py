"""The command `autochrome colorize`: colorize a folder of photos at full resolution, into a tree of the same shape.

The job is `FindPhotos` → `ColorizePhotos` → `WriteManifest`, which can also be used in other pipelines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import apache_beam as beam
from rich.console import Console

from model import saved_model
from model.terminal import say
from pipelines import flags
from pipelines.archive import briefing, dry_run, provenance, single
from pipelines.archive.colorize_photos import ColorizePhotos
from pipelines.archive.finish import WriteManifest
from pipelines.archive.lease import Holder, Lease, held
from pipelines.archive.manifest import JOURNAL
from pipelines.archive.provenance import Recipe, settings_of
from pipelines.archive.tasks import Selection
from pipelines.files import cloud, input_checks, writable
from pipelines.files.find_photos import FindPhotos
from pipelines.runtime import commands, resource_hints, runners
from pipelines.runtime.progress import watched
from tfrecords.errors import UserError


@dataclass(eq=False)
class Colorize(beam.PTransform):
    """Run the whole job: root → a single None when the manifest is written.

    Attributes:
        input: folder, file or glob; or several.
        photos: colorizes the photos.
    """

    input: str | Sequence[str]
    photos: ColorizePhotos

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Apply the steps."""
        on_found = None if self.photos.selection.size else self.photos.ticker.listed
        return root | FindPhotos(self.input, on_found) | self.photos | WriteManifest(self.photos.folder)


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome colorize``."""
    args, beam_flags = flags.colorize().parse_known_args(argv)
    options = runners.beam_options(beam_flags, processes=False)
    runners.check_reach(options, input=args.input, output=args.output)
    if args.state:
        runners.check_reach(options, state=args.state)
    if args.model != saved_model.RELEASED:  # which every worker has
        runners.check_reach(options, model=args.model)
    if args.limit and args.sample:
        raise UserError("--limit and --sample cannot be combined; give one of them")
    if args.keep_existing and args.replace_changed:
        raise UserError("--keep_existing and --replace_changed cannot be combined; give one of them")
    input_checks.check_any(args.input)
    cloud.check({"--output": args.output, "--state": args.state})
    if file_format := single.file_format(args.input, args.output):
        if args.state:
            raise UserError(f"--state is for folders; leave it out where --output is a file ({args.output})")
        if args.format not in ("keep", file_format):
            raise UserError(
                f"--format {args.format} does not fit --output {args.output}; leave out --format, or change the ending"
            )
        settings = replace(settings_of(args), format=file_format)
        recipe = Recipe.of(args.model, settings)
        return single.run(args.input[0], args.output, args.model, recipe, keep=args.keep_existing, dry=args.dry_run)
    input_checks.check_apart(args.input, args.output)
    if args.state:
        input_checks.check_apart(args.input, args.state, "--state")
    photos = ColorizePhotos(
        args.output,
        args.model,
        settings_of(args),
        args.keep_existing,
        args.replace_changed,
        args.state,
        runners.threads(beam_flags, options),
        Selection(args.limit, args.sample),
        hints=resource_hints.of(options, args.accelerator),
    )
    policy = photos.policy()
    if args.dry_run:
        dry_run.show(args.input, photos.tasks(policy), args.output)
        return 0
    elsewhere = "keep its records in another folder with --state DIR"
    writable.check(args.output, once=bool(args.state), instead=elsewhere, own=() if args.state else (JOURNAL,))
    if args.state:
        writable.check(args.state, "--state", own=(JOURNAL,))
    local = runners.is_local(options)
    lease = photos.lease = Lease(photos.folder, Holder.here(local=local))
    with held(lease, local=local, template=runners.is_template(options)):
        policy = replace(policy, recipe=provenance.numbered(policy.recipe, photos.folder))
        if line := briefing.before(args.output, photos.folder, policy, photos.selection.size):
            say(line)
        with watched("colorizing", enabled=local) as ticker:
            photos.ticker = ticker
            runners.run(Colorize(args.input, photos), options, on_end=lease.release)
    if local:
        briefing.after(", ".join(args.input), args.output, photos.folder, Console())
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.colorize")
