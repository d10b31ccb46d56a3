"""A job on this machine, in Beam's in-process runner: what it does with memory, standard error and Ctrl-C."""

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
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from model import interrupt
from pipelines.files import local_files
from pipelines.runtime import lifeline

_ARENAS = 2
_M_ARENA_MAX = -8  # malloc.h of glibc
_PROCESSES = "multi_processing"


def run(root: beam.PTransform, options: PipelineOptions) -> None:
    """Runs a job to its end; on Ctrl-C ends its workers, leaves nothing half-written and raises KeyboardInterrupt.

    ``DirectRunner`` is Beam's switch between several local runners, of which the first is fetched from the network and
    ignores the number of workers; FnApiRunner is chosen on purpose. It has a thread of its own, as it would make an
    ordinary failure of KeyboardInterrupt, or wait for workers that are gone.

    Args:
        root: the whole job, to be applied to the pipeline.
        options: of Beam.
    """
    _share_arenas()
    # There is a worker a core: numpy's own threads would only get into each other's way.
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

    with lifeline.held() as workers:
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
    # The same as Beam does for this mode, but with worker processes of our own.
    direct.direct_running_mode = "in_memory"
    # -P: a folder `pipelines` of the user's, where the command is run, is not ours.
    command = f"exec {shlex.quote(sys.executable)} -P -m pipelines.runtime.local_worker"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(command))


def _share_arenas() -> None:
    """Lets the threads of this process, and of the workers it will start, share two memory arenas.

    With one for each of gRPC's many threads, glibc keeps twice the memory for the names that pass through them
    (``tests/bench/prepare_memory_bench.py``). On other C libraries nothing happens.
    """
    os.environ.setdefault("MALLOC_ARENA_MAX", str(_ARENAS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


@contextlib.contextmanager
def stderr_set_aside() -> Iterator[Path]:
    """Sends what this process and its workers write to standard error to a file, which is removed when all goes well.

    Beam prints a worker's traceback three times and C libraries remark on broken photos; the outcome of each photo and
    the cause of a failure are told in other ways. The file descriptor itself is set aside, as the workers inherit it.
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
        # Threads that miss their workers have a lot to say.
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
