"""Buckets behind a proxy that fails: for this process, and for the processes that a test starts."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import certificate
import pytest
from faults import Faults
from front import Front
from google.cloud import storage as cloud

from pipelines import buckets

PAGE = 7


@dataclass(frozen=True)
class Cloud:
    """A bucket behind a proxy.

    Attributes:
        bucket: its name.
        faults: that requests meet.
        environment: for processes, TensorFlow's gs:// included.
    """

    bucket: str
    faults: Faults
    environment: dict[str, str]

    def uri(self, name: str) -> str:
        """Of an object or folder."""
        return f"gs://{self.bucket}/{name}"

    @contextmanager
    def calm(self) -> Iterator[cloud.Bucket]:
        """The bucket, and no faults meanwhile."""
        rate, self.faults.rate = self.faults.rate, 0.0
        yield cloud.Client.create_anonymous_client().bucket(self.bucket)
        self.faults.rate = rate

    def upload(self, folder: Path, name: str) -> str:
        """Puts a folder into the bucket; returns its URI."""
        with self.calm() as bucket:
            for path in folder.rglob("*"):
                if path.is_file():
                    bucket.blob(f"{name}/{path.relative_to(folder)}").upload_from_filename(str(path))
        return self.uri(name)

    def files(self, name: str) -> dict[str, bytes]:
        """What lies below a folder, by relative path; each has the checksum that the bucket says."""
        with self.calm() as bucket:
            return {
                blob.name.removeprefix(f"{name}/"): blob.download_as_bytes(checksum="crc32c")
                for blob in bucket.client.list_blobs(bucket, prefix=f"{name}/")
                if not blob.name.endswith("/")
            }


@pytest.fixture
def made_cloud(bucket, tmp_path, monkeypatch) -> Iterator[Callable[..., Cloud]]:
    """The function (seed, rate) → Cloud."""
    fronts = []

    def make(seed: int, rate: float) -> Cloud:
        context, authority = certificate.make(tmp_path)
        faults = Faults(seed, rate)
        front = Front(os.environ["STORAGE_EMULATOR_HOST"], faults, context, PAGE)
        fronts.append(front)
        threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start()
        own = {
            "STORAGE_EMULATOR_HOST": front.address,
            "https_proxy": front.address,
            "CURL_CA_BUNDLE": str(authority),
            "NO_GCE_CHECK": "true",
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "none",
            "GCS_RETRY_CONFIG_INIT_DELAY_TIME_US": "50000",
        }
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", front.address)
        buckets._client.cache_clear()
        return Cloud(bucket, faults, {**os.environ, **own})

    yield make
    for front in fronts:
        front.shutdown()
        front.server_close()
    buckets._client.cache_clear()


@pytest.fixture
def calm_cloud(made_cloud) -> Cloud:
    """Buckets where nothing goes wrong."""
    return made_cloud(0, 0.0)


@pytest.fixture
def rough_cloud(made_cloud) -> Cloud:
    """Buckets where every other request fails."""
    return made_cloud(1, 0.5)
