"""`ColorizePhotos`: read, decode, predict, merge, encode and write the photos that are not done, in one stage.

The job lists the output and its manifest, joins them with the photos by name, makes what is missing, and yields one
record per photo. Only names, sizes and records cross a shuffle; pixels never do.

RunInference is not used. It needs the model's inputs as a separate PCollection, so the photo must either travel with
them or be read and decoded twice. One bad element fails its batch. Its batches depend on timing, and chroma predicted
in a batch differs in the last bits (up to 1e-4 Lab units) from that of single photos.
Measured on 104 archive photos in one process on two cores: 3.9 photos a second in the fused stage, and 3.6 with
RunInference in batches up to 8. Every fused run gave the same bytes; of the files from RunInference, 10 to 21 were
equal to them, depending on the run. ``tests/bench/inference_bench.py`` repeats the measurement.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field

import apache_beam as beam

from model import saved_model
from pipelines.archive import chroma_file, partitions, run_list, runs, sidecar_lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import Policy
from pipelines.archive.runs import Run
from pipelines.archive.selection import ALL, Selection
from pipelines.archive.signing import Signing
from pipelines.archive.stage import CarryOut
from pipelines.archive.tasks import FindTasks
from pipelines.files.keep_apart import KeepApart
from pipelines.files.sources import Source
from pipelines.guidance.plan import NONE, Plan
from pipelines.runtime import runners
from pipelines.runtime.outcomes import RETRIED
from pipelines.runtime.partition import WHOLE, Partition
from pipelines.runtime.progress import SILENT, Ticker

_SORTED = 10_000  # photos of a local run of which the largest is started first; a task takes 1 kB


@dataclass(eq=False)
class ColorizePhotos(beam.PTransform):
    """Colorize photos into a folder: PCollection of `Source` → PCollection of `Record`, one per photo.

    A photo is not made again if an earlier run made it from the same file, with the same model and settings. Every
    photo gets a unique name in the output. Only one run at a time writes into a folder. Photos may come from anywhere,
    such as `FindPhotos` with any transforms in between; a photo that occurs twice is made once. Pass all photos of a
    folder in each run: the manifest has only the records of the photos that were passed.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     photos = p | FindPhotos("scans") | beam.Filter(lambda photo: photo.name.startswith("box 1/"))
        ...     records = photos | ColorizePhotos("colour", settings=ColorizeSettings(format="jpeg"))
        ...     _ = records | WriteManifest("colour")

    Attributes:
        output: the folder of the colour photos, local or in a bucket.
        model: the SavedModel folder, ``released``, ``released_2`` or ``released_1``.
        settings: format and quality of the files.
        plan: which photos are guided by hints (`pipelines.guidance.planning.planned`).
        signing: who signs the files (`pipelines.archive.signing.of`).
        keep_existing: whether files from another model or other settings stay.
        replace_changed: whether files that somebody changed are made again.
        retry: reasons of rejections after which a photo is made again.
        keep_mtime: whether files get the time of change of their source; on local disks only.
        state: a folder for the manifest, separate from the photos; '' puts it into the output.
        partition: the part of the photos that is colorized, with a manifest of its own.
        threads: photos that a worker processes at a time; 0 for one per core in a local run with one worker, else 2.
        selection: which of the photos; used by the command.
        ticker: receives one report for every photo; used by the command.
        hints: resources that the stage that colorizes requests; used by the command.
        lease: of the run, if the caller already holds it; used by the command.

    Raises:
        UserError: when it is applied: the output overlaps with the photos, or with that of another `ColorizePhotos`;
            the model is missing or not ours; a setting is unknown. When the job runs: another run writes into the
            folder or that of the sidecars, a photo is in the output, or the model has changed.
    """

    output: str
    model: str = saved_model.RELEASED
    _: KW_ONLY
    settings: Settings = field(default_factory=Settings)
    plan: Plan = NONE
    signing: Signing | None = None
    keep_existing: bool = False
    replace_changed: bool = False
    retry: tuple[str, ...] = RETRIED
    keep_mtime: bool = False
    state: str = ""
    partition: Partition = WHOLE
    threads: int = 0
    selection: Selection = ALL
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)
    lease: Lease | None = None

    @property
    def folder(self) -> str:
        """The folder of the manifest."""
        return partitions.folder_of(self.state or self.output, self.partition)

    def policy(self) -> Policy:
        """Read the model and the runs in the folder, and return how photos are made.

        Raises:
            UserError: the model is missing or not ours; the list of runs is damaged; or records would be ignored, or
                sidecars of another output replaced.
        """
        partitions.check(self.state or self.output, self.partition)
        if self.state:
            run_list.check_state(self.output, self.state)
        sidecar_lease.check_earlier(self._sidecars, self.state or self.output)
        recipe = Recipe.of(self.model, self.settings, plan=self.plan, signing=self.signing)
        return Policy(
            recipe=run_list.numbered(recipe, self.folder),
            keep_existing=self.keep_existing,
            replace_changed=self.replace_changed,
            retry=frozenset(self.retry),
            keep_mtime=self.keep_mtime,
        )

    def lease_of(self, holder: Holder) -> Lease:
        """Return the lease that a run needs: on its folder, and on that of its sidecars if they have one."""
        return Lease(folder=self.folder, holder=holder, beside=sidecar_lease.of(self._sidecars, self.folder, holder))

    @property
    def _sidecars(self) -> str:
        """The folder of the sidecars; '' if there is none of its own."""
        return "" if self.settings.sidecar == chroma_file.ONLY else self.settings.sidecar

    def tasks(self, policy: Policy, begin: beam.DoFn | None = None, *, spread: bool = False) -> FindTasks:
        """Return the transform that finds what is to be done; ``spread`` is that of `FindTasks`."""
        return FindTasks(
            *(self.output, policy),
            selection=self.selection,
            ticker=self.ticker,
            state=self.state if self.partition == WHOLE else self.folder,
            partition=self.partition,
            begin=begin,
            spread=spread,
        )

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Record]:
        """Build the graph."""
        runs.check_alone(photos.pipeline, self.folder)
        apart = photos | "Apart" >> KeepApart(self.output)
        if self.state:
            apart |= "Apart from state" >> KeepApart(self.state, "state")
        policy, local = self.policy(), runners.is_run_locally(photos.pipeline)
        lease = self.lease or self.lease_of(Holder.unwatched(local=local))
        threads = 0 if "accelerator" in self.hints else self.threads or runners.threads_of(photos.pipeline)
        found = apart | "Tasks" >> self.tasks(policy, _Begin(lease, policy.recipe), spread=not local)
        results = found.tasks | "Colorize" >> beam.ParDo(
            CarryOut(self.output, self.model, policy, threads, self.ticker, lease, _SORTED if local else 0)
        ).with_resource_hints(**self.hints)
        runs.register(
            photos.pipeline,
            Run(
                lease=lease,
                recipe=policy.recipe,
                results=results,
                records=found.records,
                damaged=found.damaged,
                unfinished=found.unfinished,
            ),
        )
        return results | "Records" >> beam.Map(lambda result: result.record)


class _Begin(beam.DoFn):
    """Takes the lease and records that the run begins, before the output is listed."""

    def __init__(self, lease: Lease, recipe: Recipe) -> None:
        self._lease = lease
        self._recipe = recipe

    def setup(self) -> None:
        self._lease.enter()

    def process(self, output: bytes) -> Iterator[bytes]:
        self._lease.take()
        run_list.begin(self._lease.folder, self._recipe)
        yield output

    def teardown(self) -> None:
        self._lease.leave()
