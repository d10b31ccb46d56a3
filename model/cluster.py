"""TF_CONFIG: the machines that train together, checked before any work, and named while they are waited for.

It is a JSON object such as ``{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}``.
This module does not import TensorFlow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from model.terminal import say
from tfrecords.errors import UserError

LOOK_EVERY_S = 5.0
_CONNECT_S = 1.0
_JOBS = ("chief", "worker")
_EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The machines of a run.

    Attributes:
        addresses: `host:port` by name, such as `worker 1`; empty where TF_CONFIG is not set.
        own: the name of this machine.
    """

    addresses: dict[str, str]
    own: str = ""

    def absent(self) -> list[str]:
        """Return the names and addresses of the other machines at whose port nobody listens."""
        others = {name: address for name, address in self.addresses.items() if name != self.own}
        return [f"{name} ({address})" for name, address in others.items() if not _listens(address)]


def from_environment() -> Cluster:
    """Return what TF_CONFIG says.

    Raises:
        UserError: it is not what TensorFlow documents, or does not fit together.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return Cluster({})
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise UserError(f"TF_CONFIG is not JSON ({error}); it is like {_EXAMPLE}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("cluster"), dict):
        raise UserError(f"TF_CONFIG has no cluster; it is like {_EXAMPLE}")
    addresses = {
        f"{job} {index}": _checked(f"{job} {index}", address)
        for job in _JOBS
        for index, address in enumerate(_listed(job, fields["cluster"].get(job, [])))
    }
    for name, address in addresses.items():
        if twin := next((other for other in addresses if other < name and addresses[other] == address), ""):
            raise UserError(f"TF_CONFIG gives {twin} and {name} one address, {address}; each needs its own")
    return Cluster(addresses, _own(fields.get("task"), addresses) if len(addresses) > 1 else "")


def _listed(job: str, addresses: Any) -> list[Any]:
    if not isinstance(addresses, list):
        raise UserError(f"TF_CONFIG: the cluster's {job} must be a list of addresses; it is like {_EXAMPLE}")
    return addresses


def _checked(name: str, address: Any) -> str:
    host, _, port = str(address).rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UserError(f"TF_CONFIG: the address of {name} must be HOST:PORT, not {address}")
    return str(address)


def _own(task: Any, addresses: dict[str, str]) -> str:
    if not isinstance(task, dict) or not {"type", "index"} <= task.keys():
        raise UserError(
            f"TF_CONFIG has no task with type and index, which say which machine this is; it is like {_EXAMPLE}"
        )
    own = f"{task['type']} {task['index']}"
    if own not in addresses:
        raise UserError(f"TF_CONFIG: the task is {own}, but the cluster has {', '.join(addresses)}")
    return own


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def waited_for(cluster: Cluster, every_s: float = LOOK_EVERY_S) -> Iterator[None]:
    """Name on standard error the machines that are absent, as long as the block waits for them.

    A process of its own looks, because TensorFlow lets no other thread of this one run while it waits. It ends with
    its standard input, so also when this process is killed.
    """
    command = [sys.executable, "-P", "-m", "model.cluster", json.dumps(dataclasses.asdict(cluster)), str(every_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE):
        yield


def _watch(cluster: Cluster, every_s: float) -> None:
    said: list[str] = []
    while not select.select([sys.stdin], [], [], every_s)[0]:
        absent = cluster.absent()
        if absent and absent != said:
            say(f"autochrome: waiting for {', '.join(absent)}", file=sys.stderr)
            said = absent


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the waiting process tells of Ctrl-C
    _watch(Cluster(**json.loads(sys.argv[1])), float(sys.argv[2]))
