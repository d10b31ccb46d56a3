"""The job that colorizes a folder of photos with a SavedModel, at full resolution, into a tree of the same shape.

list the sources, the output and its manifest → join them by name → each photo that is not done is read, decoded,
predicted, joined, encoded and written in one stage → the records make the manifest. Only names, sizes and records cross
a shuffle; pixels never do.

Why not RunInference: it wants the model's inputs as a PCollection of their own, so that the photo must either travel
beside them or be read and decoded a second time; it lets one bad element fail its batch; and its batches depend on
timing, while chroma predicted in a batch differs in the last bits (up to 1e-4 Lab units) from that of single photos.
On 104 archive photos, 256 x 256 autoencoder, one process on two cores, both jobs five times by turns: 3.9 photos a
second in the fused stage (3.8 to 4.0) and 3.6 with RunInference in batches up to 8 (3.4 to 3.8), whose input files
were decoded twice. Every fused run gave the same bytes; of RunInference's files 10 to 21, depending on the run, were
equal to them. What batches save is little: a prediction takes 25 ms alone and 21 ms as one of 8, a whole photo 260.
``tests/bench/inference_bench.py`` measures it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue
from rich.console import Console

from model import quiet, saved_model
from model.terminal import say
from pipelines import flags
from pipelines.archive import briefing, dry_run, provenance, single, upkeep
from pipelines.archive.attempt import Context, attempt
from pipelines.archive.finish import Account, Result
from pipelines.archive.journal import Journal
from pipelines.archive.lease import Holder, Lease, held
from pipelines.archive.manifest import JOURNAL, Record
from pipelines.archive.provenance import Recipe, settings_of
from pipelines.archive.render import render
from pipelines.archive.resume import Policy, Task
from pipelines.archive.tasks import ALL, FindTasks, Selection
from pipelines.archive.upkeep import Save
from pipelines.files import cloud, input_checks, writable
from pipelines.runtime import commands, resource_hints, runners
from pipelines.runtime.outcomes import count
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import SILENT, Ticker, watched
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.errors import UserError


class _Workshop:
    """What the workers of one process share."""

    def __init__(self, model: str, digest: str, threads: int) -> None:
        self.processes = PhotoProcesses(render, started=1)  # it starts while TensorFlow does
        with quiet.startup():
            from model.colorizer import Colorizer, one_thread_a_prediction

        one_thread_a_prediction()
        self.colorizer = Colorizer.load(model, digest)
        self.gate = Gate(threads)


class ColorizePhotos(beam.DoFn):
    """Task → Result; writes the colour photo and its record on the way. Workers of one process share one model.

    Args:
        output: the folder.
        model: the SavedModel folder.
        policy: of the run.
        threads: photos that a worker processes at a time.
        ticker: to be told of every photo.
        lease: of the run; journals are written into its folder.
    """

    def __init__(self, output: str, model: str, policy: Policy, threads: int, ticker: Ticker, lease: Lease) -> None:
        self._output = output
        self._model = model
        self._policy = policy
        self._threads = threads
        self._ticker = ticker
        self._lease = lease
        self._shared = Shared()

    def setup(self) -> None:
        """Starts the journal; the model is loaded when a photo needs it."""
        self._journal = Journal(self._lease.folder, self._lease.run)
        self._pool: WorkerPool[Result] | None = None

    def _at_work(self) -> WorkerPool[Result]:
        if self._pool is None:
            # Kept by this object as well: Shared itself holds on to what was asked for last.
            self._workshop = self._shared.acquire(self._opened, tag=self._model)
            colorizer = self._workshop.colorizer
            self._context = partial(Context, self._policy.recipe, colorizer.size, colorizer.predict)
            self._pool = WorkerPool(self._threads, self._workshop.gate)
        return self._pool

    def _opened(self) -> _Workshop:
        return _Workshop(self._model, self._policy.recipe.model_digest, self._threads)

    def process(self, task: Task) -> Iterator[Result]:
        """Takes one photo on; gives what is done meanwhile."""
        self._lease.keep()
        if task.existing is not None and not task.needs_check:
            yield self._told(Result(task.existing, now=False))
            return
        yield from map(self._kept, self._at_work().add(partial(self._make, task), partial(self._make, task, last=True)))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Gives the rest."""
        if self._pool is not None:
            window = GlobalWindow()
            for made in map(self._kept, self._pool.rest()):
                yield WindowedValue(made, window.max_timestamp(), [window])
            self._journal.flush()

    def teardown(self) -> None:
        """Ends the threads, and the child processes that have no photo."""
        if self._pool is not None:
            self._pool.close()
            self._workshop.processes.close()
        self._journal.close()

    def _make(self, task: Task, *, last: bool = False) -> Result:
        def make(save: Save) -> Record:
            return attempt(task.named, self._context(save, self._workshop.processes), last=last)

        return upkeep.carry_out(task, self._policy, self._output, make, self._announce, self._lease.keep)

    def _announce(self, record: Record) -> None:
        # A run that was taken over must not leave a journal behind.
        self._lease.keep()
        self._journal.announce(record)

    def _kept(self, made: Result) -> Result:
        self._journal.add(made.record)
        for stage, milliseconds in made.record.milliseconds.items():
            Metrics.distribution("autochrome", f"{stage}_microseconds").update(round(1000 * milliseconds))
        return self._told(made)

    def _told(self, made: Result) -> Result:
        count(made.record.outcome())
        self._ticker.done(made.record.status)
        return made


@dataclass(eq=False)
class Colorize(beam.PTransform):
    """The whole job: photos below ``input`` appear in colour in ``output``, with the manifest and a report.

    Attributes:
        input: folder, file or glob; or several.
        output: the folder.
        model: the SavedModel folder.
        policy: what makes the photos, and what becomes of those that are there.
        selection: which of the photos.
        threads: photos that a worker processes at a time.
        ticker: to be told of every photo.
        hints: what the stage that colorizes asks of its machines.
        lease: of the run, which takes it when it starts, if it has not got it yet. Its folder takes the records.
    """

    input: str | Sequence[str]
    output: str
    model: str
    policy: Policy
    selection: Selection = ALL
    threads: int = 1
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)
    lease: Lease | None = None

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Builds the graph."""
        lease = self.lease or Lease(self.output)
        begin = partial(_begin, lease, self.policy.recipe)
        state = "" if lease.folder == self.output else lease.folder
        found = root | "Tasks" >> FindTasks(
            self.input, self.output, self.policy, self.selection, self.ticker, state, begin
        )
        made = found.tasks | "Colorize" >> beam.ParDo(
            ColorizePhotos(self.output, self.model, self.policy, self.threads, self.ticker, lease)
        ).with_resource_hints(**self.hints)
        return made | "Account" >> Account(lease, self.policy.recipe, found.records, found.damaged, found.unfinished)


def _begin(lease: Lease, recipe: Recipe) -> None:
    lease.take()
    provenance.begin(lease.folder, recipe)


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome colorize``."""
    args, beam_flags = flags.colorize().parse_known_args(argv)
    options = runners.beam_options(beam_flags, processes=False)
    state = args.state or args.output
    runners.check_reach(options, input=args.input, output=args.output)
    if args.state:
        runners.check_reach(options, state=state)
    if args.model != saved_model.RELEASED:  # which every worker has
        runners.check_reach(options, model=args.model)
    if args.limit and args.sample:
        raise UserError("--limit and --sample are two ways to choose; give one of them")
    if args.keep_existing and args.replace_changed:
        raise UserError("--keep_existing and --replace_changed contradict each other; give one of them")
    input_checks.check_any(args.input)
    cloud.check({"--output": args.output, "--state": args.state})
    if file_format := single.file_format(args.input, args.output):
        if args.state:
            raise UserError(f"--state is for folders; leave it out where --output is a file ({args.output})")
        if args.format not in ("keep", file_format):
            raise UserError(
                f"--format {args.format} does not fit --output {args.output}; leave one of them to the other"
            )
        settings = replace(settings_of(args), format=file_format)
        recipe = Recipe.of(args.model, settings)
        return single.run(args.input[0], args.output, args.model, recipe, keep=args.keep_existing, dry=args.dry_run)
    input_checks.check_apart(args.input, args.output)
    if args.state:
        input_checks.check_apart(args.input, state, "--state")
        provenance.check_state(args.output, state)
    recipe = Recipe.of(args.model, settings_of(args))
    selection = Selection(args.limit, args.sample)
    if args.dry_run:
        policy = Policy(replace(recipe, run=provenance.number(state, recipe)), args.keep_existing, args.replace_changed)
        dry_run.show(FindTasks(args.input, args.output, policy, selection, state=args.state), args.output)
        return 0
    elsewhere = "keep its records in another folder with --state DIR"
    writable.check(args.output, once=bool(args.state), instead=elsewhere, own=() if args.state else (JOURNAL,))
    if args.state:
        writable.check(state, "--state", own=(JOURNAL,))
    local = runners.is_local(options)
    lease = Lease(state, Holder.here(local=local))
    with held(lease, local=local, template=runners.is_template(options)):
        policy = Policy(replace(recipe, run=provenance.number(state, recipe)), args.keep_existing, args.replace_changed)
        if line := briefing.before(args.output, state, policy, selection.size):
            say(line)
        with watched("colorizing", enabled=local) as ticker:
            threads, asked = runners.threads(beam_flags, options), resource_hints.of(options, args.accelerator)
            job = Colorize(args.input, args.output, args.model, policy, selection, threads, ticker, asked, lease)
            runners.run(job, options, on_end=lease.release)
    if local:
        briefing.after(", ".join(args.input), args.output, state, Console())
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.colorize")
