"""Run a job on this machine with Beam's in-process runner: memory, standard error and Ctrl-C."""

import contextlib
import ctypes
import os
import shlex
import shutil
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.job import utils as job_utils
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.fn_runner import ExtendedProvisionInfo
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from model import interrupt
from pipelines.files import local_files, store_settings
from pipelines.runtime import beam_specs, lifeline

_ARENAS = 2
_M_ARENA_MAX = -8  # malloc.h of glibc
_PROCESSES = "multi_processing"


def run(root: beam.PTransform, options: PipelineOptions) -> None:
    """Run a job to its end. On Ctrl-C, end the workers, remove unfinished files and raise KeyboardInterrupt.

    FnApiRunner is used directly. ``DirectRunner`` chooses between several local runners, of which the first is
    downloaded from the network and ignores the number of workers. The runner has a thread of its own, because it would
    turn KeyboardInterrupt into an ordinary failure, or wait for workers that are gone.

    Args:
        root: the whole job, applied to the pipeline.
        options: of Beam.
    """
    _share_arenas()
    # There is one worker per core; numpy's own threads would compete with them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pipeline = beam.Pipeline(runner=_runner(options), options=options)
    ended = Future[None]()

    def work() -> None:
        try:
            _ = pipeline | root
            pipeline.run().wait_until_finish()
        except BaseException as error:
            ended.set_exception(error)
        else:
            ended.set_result(None)

    with lifeline.held() as workers, beam_specs.remembered():
        try:
            threading.Thread(target=work, name="job", daemon=True).start()
            ended.result()
        except KeyboardInterrupt:
            interrupt.impatient()
            workers.cut()
            local_files.abandon()
            shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
            raise


def _runner(options: PipelineOptions) -> FnApiRunner:
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode != _PROCESSES:
        return FnApiRunner()
    # As Beam does for this mode, but with our own worker processes.
    direct.direct_running_mode = "in_memory"
    # -P: a folder `pipelines` in the user's working directory must not be imported.
    command = f"exec {shlex.quote(sys.executable)} -P -m pipelines.runtime.local_worker"
    # Beam gives such workers no options; they need those that say how to reach stores.
    told = beam_provision_api_pb2.ProvisionInfo(
        retrieval_token="unused-retrieval-token",
        pipeline_options=job_utils.dict_to_struct(store_settings.given(options)),
    )
    return FnApiRunner(
        default_environment=SubprocessSDKEnvironment.from_command_string(command),
        provision_info=ExtendedProvisionInfo(told),
    )


def _share_arenas() -> None:
    """Let the threads of this process, and of the workers it will start, share two memory arenas.

    With one arena for each of gRPC's many threads, glibc keeps twice the memory for the names that pass through them
    (``tests/bench/prepare_memory_bench.py``). Other C libraries are left alone.
    """
    os.environ.setdefault("MALLOC_ARENA_MAX", str(_ARENAS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


@contextlib.contextmanager
def stderr_set_aside() -> Iterator[Path]:
    """Send standard error of this process and its workers to a file, which is removed if the block succeeds.

    Beam prints a worker's traceback three times, and C libraries print warnings about broken photos. The outcome of
    each photo and the cause of a failure are reported in other ways. The file descriptor itself is redirected, because
    workers inherit it.

    Yields:
        the path of the file.
    """
    descriptor, name = tempfile.mkstemp(prefix="autochrome-", suffix=".log")
    kept = os.dup(2)
    sys.stderr.flush()
    os.dup2(descriptor, 2)
    try:
        yield Path(name)
        Path(name).unlink()
    except KeyboardInterrupt:
        Path(name).unlink()
        # Threads that lose their workers print a lot.
        interrupt.speak_on(kept)
        kept = os.open(os.devnull, os.O_WRONLY)
        raise
    except BaseException:
        os.write(descriptor, traceback.format_exc().encode(errors="replace"))
        raise
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(descriptor)
