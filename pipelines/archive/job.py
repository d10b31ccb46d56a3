"""The job of `autochrome colorize`: a folder of photos becomes a tree of the same shape in another folder.

The job is `FindPhotos` → `ColorizePhotos` → `WriteManifest`, which can also be used in other pipelines.
"""

import argparse
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

import apache_beam as beam
from rich.console import Console

from model import saved_model
from model.terminal import say
from pipelines.archive import briefing, chroma_file, dry_run, partitions, run_list
from pipelines.archive import signing as signings
from pipelines.archive.colorize_photos import ColorizePhotos
from pipelines.archive.finish import WriteManifest
from pipelines.archive.holder import Holder
from pipelines.archive.lease import held
from pipelines.archive.manifest import JOURNAL, JSON_LINES
from pipelines.archive.provenance import settings_of
from pipelines.archive.selection import Selection
from pipelines.archive.sidecar_copies import CopySidecars
from pipelines.files import writable
from pipelines.files.find_photos import FindPhotos
from pipelines.files.list_parts import PLAIN, ListOptions, lists_of
from pipelines.guidance import planning
from pipelines.runtime import resource_hints, runners
from pipelines.runtime.partition import WHOLE
from pipelines.runtime.progress import watched


@dataclass(eq=False)
class Colorize(beam.PTransform):
    """Run the whole job: root → a single None when the manifest is written.

    Attributes:
        input: folder, file or glob; or several; checked.
        photos: colorizes the photos.
        lists: how lists are read.
        exclude: globs of names that are ignored.
        copy_sidecars: whether sidecars go along with their photos.
        manifest_format: of the records, see `WriteManifest`.
    """

    input: str | Sequence[str]
    photos: ColorizePhotos
    _: KW_ONLY
    lists: ListOptions = PLAIN
    exclude: Sequence[str] = ()
    copy_sidecars: bool = False
    manifest_format: str = JSON_LINES

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Apply the steps."""
        is_whole = not self.photos.selection.size and self.photos.partition == WHOLE
        on_found = self.photos.ticker.listed if is_whole else None
        found = FindPhotos(self.input, lists=self.lists, on_found=on_found, exclude=self.exclude, is_checked=True)
        records = root | found | self.photos
        if self.copy_sidecars:
            _ = records | CopySidecars(self.photos.output, found.ignored)
        ignored = found.ignored | "Ignored in partition" >> beam.Filter(partitions.has_ignored, self.photos.partition)
        return records | WriteManifest(self.photos.folder, ignored, format=self.manifest_format)


def run(args: argparse.Namespace, beam_flags: Sequence[str]) -> None:
    """Run the job, whose input and output have been checked.

    Args:
        args: the flags of the command (`pipelines.flags.colorize`).
        beam_flags: Beam's flags.

    Raises:
        UserError: a flag is wrong, a hint has no photo, or a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    options = runners.beam_options(beam_flags)
    plan, signing = planning.of(args), signings.of_flags(args)
    planning.check_photos(plan, args.input, lists_of(args))
    for model in plan.models:
        if model.path not in saved_model.SHIPPED:  # which every worker has
            runners.check_reach(options, rules=model.path)
    photos = ColorizePhotos(
        args.output,
        args.model,
        settings=settings_of(args),
        plan=plan,
        signing=signing,
        keep_existing=args.keep_existing,
        replace_changed=args.replace_changed,
        retry=args.retry,
        keep_mtime=args.keep_mtime,
        state=args.state,
        partition=args.partition,
        threads=runners.threads(beam_flags, options),
        selection=Selection(args.limit, args.sample),
        hints=resource_hints.of(options, args.accelerator),
    )
    policy = photos.policy()
    if args.dry_run:
        found = FindPhotos(args.input, lists=lists_of(args), exclude=args.exclude, is_checked=True)
        dry_run.show(found, photos.tasks(policy), args.output)
        return
    elsewhere = "keep its records in another folder with --state DIR"
    writable.check(args.output, once=bool(args.state), instead=elsewhere, own=() if args.state else (JOURNAL,))
    if args.state:
        writable.check(args.state, "--state", own=(JOURNAL,))
    if args.sidecar and args.sidecar != chroma_file.ONLY:
        writable.check(args.sidecar, "--sidecar")
    local = runners.is_local(options)
    lease = photos.lease = photos.lease_of(Holder.here(local=local))
    with held(lease, local=local, template=runners.is_template(options)):
        policy = replace(policy, recipe=run_list.numbered(policy.recipe, photos.folder))
        if line := briefing.before(args.output, photos.folder, policy, photos.selection.size):
            say(line)
        if line := briefing.converted(photos.folder, args.manifest_format):
            say(line)
        with watched("colorizing", enabled=local) as ticker:
            photos.ticker = ticker
            job = Colorize(
                args.input,
                photos,
                lists=lists_of(args),
                exclude=args.exclude,
                copy_sidecars=args.copy_sidecars,
                manifest_format=args.manifest_format,
            )
            runners.run(job, options, on_end=lease.release)
    if local:
        briefing.after(", ".join(args.input), args.output, photos.folder, Console())
