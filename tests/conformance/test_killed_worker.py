"""A worker process that is killed in mid-job costs time and nothing else, on runners whose workers are processes.

Flink restarts the job by itself; Prism gives it up, and the same command a second time ends it.
"""

import time
from functools import partial
from pathlib import Path

import pytest
from engines import Engine
from jobs import Job
from scoreboard import READ, Runs
from worker_pool import WorkerPool

_POLL_S = 0.01


# What is there, under its own or a hidden name, as soon as workers are in the middle of their work.
_FIRST = {"prepare": ("*train-*",), "colorize": ("**/*.jpg", "**/*.JPEG", "**/*.png")}


def _killed_once(running: Job, job: str, output: Path, pool: WorkerPool) -> tuple[int, str, float]:
    with running:
        while not any(True for pattern in _FIRST[job] for _ in output.glob(pattern)):
            assert not running.ended, running.finish()[1]
            time.sleep(_POLL_S)
        pool.kill_one()
        return running.finish()


@pytest.mark.parametrize("job", ["prepare", "colorize"])
def test_a_job_whose_worker_is_killed_ends_with_the_same_files(
    pooled_engine: Engine, job: str, run: Runs, reference, tmp_path
):
    output = tmp_path / "out"
    with pooled_engine.workers() as pool:
        assert pool is not None
        flags = (*run.flags[job], f"--output={output}", *pooled_engine.flags, *pool.flags)
        start = partial(Job, job, flags, pooled_engine.environment)
        code, stderr, seconds = _killed_once(start(), job, output, pool)
        remark = "a worker killed, restarted by the runner"
        if pooled_engine.restarts:
            assert code == 0, stderr
        else:
            assert code == 1
            remark = "a worker killed, a second start"
            with start() as again:
                code, stderr, more = again.finish()
            assert code == 0, stderr
            seconds += more
    made = READ[job](output)
    run.add(pooled_engine, job, made, seconds, remark)
    assert made == reference(job)
