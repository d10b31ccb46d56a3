"""The runners that the golden job is given to, each with two workers where it can have them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker_pool import WorkerPool

_ROOT = Path(__file__).parents[2]
FETCHED = _ROOT / ".engines"
"""What `make test-flink` and `make test-prism` fetch."""


@dataclass(frozen=True)
class Engine:
    """A runner and how it is told to have two workers.

    Attributes:
        name: as ``--engine`` takes it.
        flags: of Beam.
        environment: variables of the launching process, beside those that it inherits.
        pooled: whether its workers are processes of a worker pool.
        restarts: whether it restarts a job whose worker was killed.
    """

    name: str
    flags: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    pooled: bool = False
    restarts: bool = False

    @contextlib.contextmanager
    def workers(self) -> Iterator[WorkerPool | None]:
        """Starts the worker pool, where the runner's workers come from one."""
        if not self.pooled:
            yield None
            return
        with WorkerPool() as pool:
            yield pool


REFERENCE = Engine("in_process", ("--direct_num_workers=1",))

_FLINK = (
    "--runner=FlinkRunner",
    f"--flink_job_server_jar={FETCHED / 'flink' / 'job-server.jar'}",
    "--parallelism=2",
    "--execution_mode_for_batch=BATCH",
)
_FLINK_CONFIG = (("FLINK_CONF_DIR", str(_ROOT / "deploy" / "flink" / "conf")),)
_PRISM = ("--runner=PrismRunner", f"--prism_location={FETCHED / 'prism'}")

LOCAL = (
    REFERENCE,
    Engine("threads", ("--direct_num_workers=2", "--direct_running_mode=multi_threading")),
    Engine("processes", ("--direct_num_workers=2", "--direct_running_mode=multi_processing")),
)
FETCHED_ENGINES = (
    Engine("flink", (*_FLINK, "--sdk_worker_parallelism=2"), _FLINK_CONFIG, pooled=True, restarts=True),
    Engine("flink_loopback", _FLINK, _FLINK_CONFIG),
    Engine("prism", _PRISM, pooled=True),
    Engine("prism_loopback", _PRISM),
)
BY_NAME = {engine.name: engine for engine in (*LOCAL, *FETCHED_ENGINES)}
