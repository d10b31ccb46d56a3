"""Buckets behind proxies that fail never, often, or now and then."""

from collections.abc import Iterator

import pytest
from accounts import Accounts
from clouds import Cloud, behind_a_front

from model import google_cloud
from pipelines.files import patience


@pytest.fixture
def calm_cloud(bucket, tmp_path) -> Iterator[Cloud]:
    """Buckets where nothing goes wrong."""
    with behind_a_front(bucket, tmp_path, 0, 0.0) as made:
        yield made


@pytest.fixture
def rough_cloud(bucket, tmp_path) -> Iterator[Cloud]:
    """Buckets where every other request fails."""
    with behind_a_front(bucket, tmp_path, 1, 0.5) as made:
        yield made


@pytest.fixture(scope="module")
def usual_cloud(bucket, tmp_path_factory) -> Iterator[Cloud]:
    """Buckets where one request in eight fails."""
    with behind_a_front(bucket, tmp_path_factory.mktemp("front"), 4, 1 / 8) as made:
        yield made


@pytest.fixture
def accounts(calm_cloud, tmp_path_factory) -> Iterator[Accounts]:
    """Who this process can be."""
    with pytest.MonkeyPatch.context() as patch:
        yield Accounts(calm_cloud, tmp_path_factory.mktemp("home"), patch)
    google_cloud.client.cache_clear()


@pytest.fixture
def brief(monkeypatch) -> None:
    """Waits a hundredth of the time."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(patience, "DENIED_SECONDS", 0.6)
