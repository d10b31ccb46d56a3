"""Stores behind proxies that fail never, often, or now and then; `--store` names the stores."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import relay
import servers
from faults import Faults
from servers import Server, Store

from pipelines.files import patience

_NUMBERS = itertools.count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrizes by store."""
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", metafunc.config.getoption("store") or ["s3"], scope="module")


@pytest.fixture(scope="module")
def server(kind: str) -> Iterator[Server]:
    """A store that runs."""
    with servers.BY_NAME[kind]() as running:
        yield running


@contextmanager
def _behind_a_proxy(server: Server, seed: int, rate: float) -> Iterator[Store]:
    faults = Faults(seed, rate)
    bucket = f"photos-{next(_NUMBERS)}"
    server.make(bucket)
    with relay.running(server.address, faults, server.error) as proxy, pytest.MonkeyPatch.context() as patch:
        environment = server.environment(proxy.address)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(patience, "FIRST_PAUSE", 0.01)
        patch.setattr(patience, "LONGEST_PAUSE", 0.1)
        patch.setattr(patience, "DENIED_SECONDS", 0.6)
        server.forget()
        yield Store(server, bucket, proxy, environment)
    server.forget()


@pytest.fixture
def calm(server: Server) -> Iterator[Store]:
    """A bucket where nothing goes wrong."""
    with _behind_a_proxy(server, 0, 0.0) as store:
        yield store


@pytest.fixture
def rough(server: Server) -> Iterator[Store]:
    """A bucket where every other request fails."""
    with _behind_a_proxy(server, 1, 0.5) as store:
        yield store


@pytest.fixture
def usual(server: Server) -> Iterator[Store]:
    """A bucket where one request in eight fails."""
    with _behind_a_proxy(server, 4, 1 / 8) as store:
        yield store
