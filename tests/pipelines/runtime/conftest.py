"""Here the processes themselves are under test: none of them is handed on."""

from collections.abc import Iterator

import kept_processes
import pytest


@pytest.fixture(scope="module", autouse=True)
def _processes_are_not_kept() -> Iterator[None]:
    with kept_processes.not_kept():
        yield
