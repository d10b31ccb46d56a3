"""Set up Beam's options and runners: Beam flags are accepted, unknown flags are errors, local runs use all cores."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, GoogleCloudOptions, PipelineOptions, StandardOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.runner import PipelineResult, PipelineState, create_runner

from model.commands import Parser, did_you_mean
from model.terminal import say
from pipelines.errors import JobFailedError
from pipelines.files import storage
from pipelines.files.store_options import StoreOptions
from pipelines.runtime import beam_specs, local_run, local_threads
from pipelines.runtime.option_views import Options
from tfrecords.errors import UserError

_THREADS_OF_REMOTE_WORKERS = 2  # one computes while the other waits for the network; there is one process per core
_LOCAL = ("direct", "fnapi")
_IN_PROCESS = (*_LOCAL, "switchingdirect", "bundlebaseddirect")
_DATAFLOW = "dataflow"


class FlinkJobServerOptions(PipelineOptions):
    """The option of Beam's Java Flink job server for batch jobs, which Beam's Python code does not declare.

    It has the same name in Beam's ``FlinkPipelineOptions``. Without this class it would be an unknown flag.
    """

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--execution_mode_for_batch", help="PIPELINED, or BATCH to run stages one after the other")


OWN_OPTIONS = (FlinkJobServerOptions, StoreOptions)
"""Beam takes the flags of all classes of options that are loaded."""


def is_local(options: PipelineOptions) -> bool:
    """Return whether the job runs on this machine, in Beam's in-process runner."""
    return _runner(options) in _LOCAL


def is_dataflow(options: PipelineOptions) -> bool:
    """Return whether the job runs on Dataflow."""
    return _runner(options) == _DATAFLOW


def _runner(options: PipelineOptions) -> str:
    """Return the runner in one spelling: ``Flink``, ``flinkrunner`` and ``a.module.FlinkRunner`` are the same."""
    return _short(str(options.view_as(StandardOptions).runner or "DirectRunner"))


def _short(name: str) -> str:
    return name.rpartition(".")[2].lower().removesuffix("runner")


def is_run_locally(pipeline: beam.Pipeline) -> bool:
    """Return whether a pipeline runs on this machine, in one of Beam's in-process runners."""
    return _short(type(pipeline.runner).__name__) in _IN_PROCESS


def threads_of(pipeline: beam.Pipeline) -> int:
    """Return how many photos a worker of a pipeline is to work on at a time, as `threads` does for a command."""
    if not is_run_locally(pipeline):
        return _THREADS_OF_REMOTE_WORKERS
    workers = pipeline.options.view_as(DirectOptions).direct_num_workers
    return local_threads.cores() if workers == 1 else 1


def beam_parser() -> Parser:
    """Return a parser of all flags that Beam has on this machine."""
    parser = Parser("COMMAND", "", "", "")
    for options_class in _all_subclasses(PipelineOptions):
        # Beam builds its own parser with this method, but only warns about unknown flags.
        add = options_class.__dict__.get("_add_argparse_args")
        if add is not None:
            add.__get__(None, options_class)(parser)
    return parser


def beam_options(flags: Sequence[str]) -> PipelineOptions:
    """Create Beam's options from the remaining flags of a command line.

    A local run has one process, whose threads share the work (`threads`), unless `--direct_running_mode` names another
    way: Beam deals the work out to its processes once, and at the end some have nothing left to do.

    Args:
        flags: Beam's.

    Raises:
        UserError: a flag is neither ours nor Beam's, or has a value that Beam does not accept; the runner is unknown;
            or a flag that Dataflow needs is missing.
    """
    unknown: list[str] = []
    if flags:  # Beam has hundreds
        parser = beam_parser()
        _, unknown = parser.parse_known_args(list(flags))
    if unknown:
        if not unknown[0].startswith("-"):
            raise UserError(f"{unknown[0]} is neither a flag nor the value of one; leave it out")
        hint = (
            did_you_mean(unknown[0].partition("=")[0], parser.flags)
            or "`--help` lists the flags; Beam's flags work too"
        )
        raise UserError(f"unknown flag {unknown[0]}; {hint}")
    options = Options(list(flags))
    if is_local(options):
        direct = options.view_as(DirectOptions)
        if not local_threads.is_mode_given(flags):
            direct.direct_num_workers = 1
        elif not local_threads.is_number_given(flags):
            direct.direct_num_workers = 0  # one per core
    else:
        _check_runner(options)
    if is_dataflow(options):
        _check_dataflow(options)
    # The launching process reads and writes files too, with the same credentials.
    FileSystems.set_options(options)
    return options


def _check_runner(options: PipelineOptions) -> None:
    """Create the runner, to report an error now; Beam would do so only when the job starts."""
    name = options.view_as(StandardOptions).runner
    try:
        create_runner(name)
    except ImportError as error:
        raise UserError(f"--runner={name} is not available: {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        known = ", ".join(sorted(StandardOptions.KNOWN_RUNNER_NAMES))
        raise UserError(f"--runner={name} is unknown; the runners are {known}") from error


def check_reach(options: PipelineOptions, **paths: str | Sequence[str]) -> None:
    """Check that workers on other machines can reach the files of a job.

    Only Dataflow workers are sure to share no disk with this machine.

    Args:
        options: of Beam.
        paths: one or several, by flag.

    Raises:
        UserError: a path is on this machine, and the job is to run on Dataflow.
    """
    for flag, given in paths.items():
        for path in [given] if isinstance(given, str) else given:
            if is_dataflow(options) and not storage.is_in_bucket(path):
                raise UserError(
                    f"--{flag} {path} is on this machine, and Dataflow's workers cannot reach it; give gs://BUCKET/PATH"
                )


def _check_dataflow(options: PipelineOptions) -> None:
    """Check that the flags Dataflow needs are given; Beam would ask the network for them, or create a bucket."""
    cloud = options.view_as(GoogleCloudOptions)
    place = "staging_location" if cloud.staging_location and not cloud.temp_location else "temp_location"
    for name in ("project", "region", place):
        if not getattr(cloud, name):
            raise UserError(f"--runner=DataflowRunner needs --{name}")
    validator = PipelineOptionsValidator(options, None)
    errors = list(validator.validate_gcs_path(cloud, place))
    if cloud.dataflow_endpoint == GoogleCloudOptions.DATAFLOW_ENDPOINT:  # Beam considers any other endpoint invalid
        errors += validator.validate_cloud_options(cloud)
    if errors:
        raise UserError(errors[0])


def threads(flags: Sequence[str], options: PipelineOptions) -> int:
    """Return how many photos a worker processes at a time."""
    return local_threads.number(flags) if is_local(options) else _THREADS_OF_REMOTE_WORKERS


def _all_subclasses(options_class: type[PipelineOptions]) -> list[type[PipelineOptions]]:
    children = options_class.__subclasses__()
    return children + [below for child in children for below in _all_subclasses(child)]


def is_template(options: PipelineOptions) -> bool:
    """Return whether the job is only written to a file, which a template's launcher submits."""
    return options.view_as(GoogleCloudOptions).template_location is not None


def run(root: beam.PTransform, options: PipelineOptions, *, on_end: Callable[[], None] | None = None) -> None:
    """Run a job to its end; with --template_location only write it to a file, which a template's launcher submits.

    Args:
        root: the whole job, applied to the pipeline.
        options: of Beam, from `beam_options`.
        on_end: called if a remote job was refused or has ended; not if it may continue without this process.

    Raises:
        UserError: a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    log: Path | None = None
    try:
        if is_local(options):
            with local_run.stderr_set_aside() as log:
                local_run.run(root, options)
        else:
            _submit(root, options, on_end)
    except Exception as error:
        kind, cause = _cause(error)
        if kind == UserError.__name__:
            if log:
                log.unlink(missing_ok=True)
            raise UserError(cause) from error
        details = f" (details in {log})" if log else ""
        raise JobFailedError(f"the job failed: {cause}{details}") from error


def _submit(root: beam.PTransform, options: PipelineOptions, on_end: Callable[[], None] | None) -> None:
    result: PipelineResult | None = None
    try:
        with beam_specs.remembered():
            pipeline = beam.Pipeline(options=options)
            _ = pipeline | root
            result = pipeline.run()
        # A template's launcher submits the job after this process has ended, so there is nothing to wait for.
        if is_template(options):
            return
        place = _console(result, options) if is_dataflow(options) else ""
        if place:
            say(f"running: {place}")
        try:
            result.wait_until_finish()
        except KeyboardInterrupt:
            if place:
                say(f"autochrome: the job continues without this process; cancel it at {place}", file=sys.stderr)
            raise
    finally:
        if on_end is not None and _has_ended(result):
            on_end()


def _console(result: PipelineResult, options: PipelineOptions) -> str:
    cloud = options.view_as(GoogleCloudOptions)
    return f"https://console.cloud.google.com/dataflow/jobs/{cloud.region}/{result.job_id()}?project={cloud.project}"


def _has_ended(result: PipelineResult | None) -> bool:
    """Return whether a remote job is known to have ended, or was never accepted."""
    try:
        return result is None or PipelineState.is_terminal(result.state)
    except Exception:  # any error of the runner's service means that the state is unknown
        return False


def _cause(error: Exception) -> tuple[str, str]:
    """Find the cause of a failed job in a worker's traceback, which arrives as text.

    Returns:
        class and message of the first of our own errors, which have readable messages; else '' and the line of the
        innermost exception. Beam's note about the step is removed.
    """
    remark = r" \[while running .*?\]"
    text = re.sub(remark, "", str(error))
    whole = f"{type(error).__module__}.{type(error).__name__}: {text}"
    if own := re.search(r"^(?:tfrecords|pipelines)\.errors\.(\w+): (.*)", whole, re.MULTILINE):
        return own[1], own[2]
    lines = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*", text, re.MULTILINE)
    return "", lines[0] if lines else f"{type(error).__name__}: {text}".splitlines()[0]
