"""A bucket behind a proxy that fails: for this process, and for the processes that a test starts."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import certificate
import pytest
from faults import Faults
from front import Front
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage as cloud
from store import Store

from model import google_cloud

PAGE = 7


@dataclass(frozen=True)
class Cloud:
    """A bucket behind a proxy.

    Attributes:
        bucket: its name.
        emulator: address of the bucket without the proxy.
        faults: that requests meet.
        environment: for processes, TensorFlow's gs:// included.
        store: what the proxy makes of the bucket.
    """

    bucket: str
    emulator: str
    faults: Faults
    environment: dict[str, str]
    store: Store

    def uri(self, name: str) -> str:
        """Of an object or folder."""
        return f"gs://{self.bucket}/{name}"

    @property
    def itself(self) -> cloud.Bucket:
        """The bucket, past the proxy."""
        options = {"api_endpoint": self.emulator}
        return cloud.Client(client_options=options, credentials=AnonymousCredentials(), project="none").bucket(
            self.bucket
        )

    def upload(self, folder: Path, name: str) -> str:
        """Puts a folder into the bucket; returns its URI."""
        bucket = self.itself
        for path in folder.rglob("*"):
            if path.is_file():
                bucket.blob(f"{name}/{path.relative_to(folder)}").upload_from_filename(str(path))
        return self.uri(name)

    def generations(self, name: str) -> dict[str, int]:
        """What lies below a folder, by relative path, and its generation."""
        blobs = self.itself.list_blobs(prefix=f"{name}/")
        return {blob.name.removeprefix(f"{name}/"): blob.generation for blob in blobs if not blob.name.endswith("/")}

    def files(self, name: str) -> dict[str, bytes]:
        """What lies below a folder, by relative path; each has the checksum that the bucket says."""
        bucket = self.itself
        return {
            path: bucket.blob(f"{name}/{path}").download_as_bytes(checksum="crc32c") for path in self.generations(name)
        }


@contextmanager
def behind_a_front(bucket: str, folder: Path, seed: int, rate: float) -> Iterator[Cloud]:
    """A bucket of the emulator at STORAGE_EMULATOR_HOST behind a proxy of its own; ``folder`` takes its certificate."""
    context, authority = certificate.make(folder)
    faults = Faults(seed, rate)
    emulator = os.environ["STORAGE_EMULATOR_HOST"]
    front = Front(emulator, faults, context, PAGE)
    threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start()
    own = {
        "STORAGE_EMULATOR_HOST": front.address,
        "https_proxy": front.address,
        "CURL_CA_BUNDLE": str(authority),
        "NO_GCE_CHECK": "true",
        "GOOGLE_AUTH_TOKEN_FOR_TESTING": "none",
        "GCS_RETRY_CONFIG_INIT_DELAY_TIME_US": "50000",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", front.address)
        google_cloud.client.cache_clear()
        yield Cloud(bucket, emulator, faults, {**os.environ, **own}, front.store)
    google_cloud.client.cache_clear()
    front.shutdown()
    front.server_close()
