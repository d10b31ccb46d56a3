import json
import os
import socket
import subprocess
import sys

import pytest

from model import cluster, commands, train
from tfrecords.errors import UserError

LIKE = 'it is like {"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
TWO = {"worker": ["a:2222", "b:2222"]}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", f" is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); {LIKE}"),
        ([1], f" has no cluster; {LIKE}"),
        ({"cluster": ["a:1"]}, f" has no cluster; {LIKE}"),
        ({"cluster": {"worker": "a:1"}}, f": the cluster's worker must be a list of addresses; {LIKE}"),
        ({"cluster": {"worker": ["a"]}}, ": the address of worker 0 must be HOST:PORT, not a"),
        (
            {"cluster": {"chief": ["a:2222"], "worker": ["b:99999"]}},
            ": the address of worker 0 must be HOST:PORT, not b:99999",
        ),
        (
            {"cluster": {"worker": ["a:1", "b:1", "a:1"]}},
            " gives worker 0 and worker 2 one address, a:1; each needs its own",
        ),
        ({"cluster": TWO}, f" has no task with type and index, which say which machine this is; {LIKE}"),
        (
            {"cluster": TWO, "task": {"type": "worker"}},
            f" has no task with type and index, which say which machine this is; {LIKE}",
        ),
        (
            {"cluster": TWO, "task": {"type": "worker", "index": 2}},
            ": the task is worker 2, but the cluster has worker 0, worker 1",
        ),
        (
            {"cluster": TWO, "task": {"type": "chief", "index": 0}},
            ": the task is chief 0, but the cluster has worker 0, worker 1",
        ),
    ],
)
def test_a_wrong_tf_config_ends_training_in_one_line(config, said, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    argv = [f"--data={tmp_path}", f"--output={tmp_path}/run"]
    assert commands.run(lambda: train.main(argv)) == 2
    assert capsys.readouterr() == ("", f"autochrome: error: TF_CONFIG{said}\n")
    assert not list(tmp_path.iterdir())


def test_a_right_tf_config_names_the_machines(monkeypatch):
    assert cluster.from_environment() == cluster.Cluster({})
    fields = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}, "job": "{}"}
    monkeypatch.setenv("TF_CONFIG", json.dumps(fields))
    assert cluster.from_environment() == cluster.Cluster({"chief 0": "a:1", "worker 0": "b:1"}, "worker 0")


def test_another_strategy_does_without_tf_config(monkeypatch, tmp_path):
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(UserError, match=r"dataset\.json"):
        train.main([f"--data={tmp_path}", f"--output={tmp_path}/run", "--strategy=one"])


def test_absent_workers_are_named_once_while_they_are_waited_for(capfd):
    """As TensorFlow waits: in one call that lets no other thread run."""
    with socket.create_server(("localhost", 0)) as here, socket.create_server(("localhost", 0)) as gone:
        there, absent = (f"localhost:{one.getsockname()[1]}" for one in (here, gone))
        gone.close()
        found = cluster.Cluster({"worker 0": "x:1", "worker 1": there, "worker 2": absent}, "worker 0")
        with cluster.waited_for(found, every_s=0.01):
            for _ in range(3):  # each look asks whether the worker that is there listens
                here.accept()
    assert capfd.readouterr().err == f"autochrome: waiting for worker 2 ({absent})\n"


def test_what_looks_for_absent_workers_ends_with_the_process_that_waits(tmp_path):
    script = (
        "import os\nfrom model import cluster\n"
        "with cluster.waited_for(cluster.Cluster({'worker 0': 'localhost:1'}, 'worker 0')): os.kill(os.getpid(), 9)"
    )
    read, write = os.pipe()
    done = subprocess.run([sys.executable, "-c", script], pass_fds=[write], stderr=write, check=False)
    os.close(write)
    assert done.returncode == -9
    with os.fdopen(read, "rb") as said:
        assert said.read() == b""  # ends when nobody has the other end
