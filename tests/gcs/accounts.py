"""Who reads a bucket: somebody without credentials, or a service account whose tokens the proxy gives or refuses."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from clouds import Cloud
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from front import TOKENS

from model import google_cloud

KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


@dataclass(frozen=True)
class Accounts:
    """Makes this process one of them.

    Attributes:
        cloud: the bucket.
        home: an empty folder in the place of the user's settings.
        patch: takes it back when the test ends.
    """

    cloud: Cloud
    home: Path
    patch: pytest.MonkeyPatch

    def log_out(self) -> None:
        """Sends requests to the proxy as to Google's own host, with the credentials that an empty home has: none."""
        for name in (KEY_FILE, "STORAGE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT"):
            self.patch.delenv(name, raising=False)
        self.patch.setenv("API_ENDPOINT_OVERRIDE", self.cloud.environment["STORAGE_EMULATOR_HOST"])
        self.patch.setenv("CLOUDSDK_CONFIG", str(self.home))
        self.patch.setenv("NO_GCE_CHECK", "true")
        google_cloud.client.cache_clear()

    def log_in(self) -> None:
        """Likewise, with the key of a service account."""
        self.log_out()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        account = {
            "type": "service_account",
            "project_id": "archive",
            "private_key_id": "1",
            "private_key": key.private_bytes(*encoding).decode(),
            "client_email": "archive@archive.iam.gserviceaccount.com",
            "token_uri": self.cloud.environment["STORAGE_EMULATOR_HOST"] + TOKENS,
        }
        (self.home / "key.json").write_text(json.dumps(account))
        self.patch.setenv(KEY_FILE, str(self.home / "key.json"))
