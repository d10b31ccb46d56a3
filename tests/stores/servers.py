"""Servers of stores, and what is in them, past the proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from answers import Answer
from faults import Faults
from relay import Relay


class Server(Protocol):
    """A store that runs.

    Attributes:
        scheme: of its URIs.
        address: of the server.
        credentials: names of the environment's variables that hold them.
        package: that speaks to it, and the modules that need it.
    """

    scheme: str
    address: str
    credentials: tuple[str, ...]
    package: str
    modules: tuple[str, ...]

    def make(self, bucket: str) -> None:
        """Makes an empty bucket."""

    def put(self, bucket: str, name: str, data: bytes, **fields: Any) -> None:
        """Writes an object, as another program does."""

    def about(self, bucket: str, prefix: str = "") -> dict[str, tuple[bytes, str]]:
        """Content and content type of all objects below a prefix, by name."""

    def error(self, status: int) -> Answer:
        """An answer with this status, as the store words it."""

    def environment(self, address: str) -> dict[str, str]:
        """What the environment has of a program that reaches the store there."""

    def forget(self) -> None:
        """Lets this process make its clients again."""


@dataclass
class Store:
    """A bucket behind a proxy that fails."""

    server: Server
    bucket: str
    relay: Relay
    environment: dict[str, str]

    @property
    def faults(self) -> Faults:
        """That requests meet."""
        return self.relay.faults

    def uri(self, name: str) -> str:
        """Of an object or folder."""
        return f"{self.server.scheme}{self.bucket}/{name}"

    def put(self, name: str, data: bytes, **fields: Any) -> None:
        """Writes an object past the proxy."""
        self.server.put(self.bucket, name, data, **fields)

    def upload(self, folder: Path, name: str) -> str:
        """Puts a folder into the bucket; returns its URI."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{name}/{path.relative_to(folder)}", path.read_bytes())
        return self.uri(name)

    def files(self, name: str) -> dict[str, bytes]:
        """What lies below a folder, by relative path."""
        found = self.server.about(self.bucket, f"{name}/")
        return {path.removeprefix(f"{name}/"): data for path, (data, _) in found.items()}

    def types(self, name: str) -> dict[str, str]:
        """The content types of what lies below a folder, by relative path."""
        found = self.server.about(self.bucket, f"{name}/")
        return {path.removeprefix(f"{name}/"): kind for path, (_, kind) in found.items()}


class S3:
    """moto's server, in a thread of this process."""

    scheme = "s3://"
    credentials = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    package = "boto3"
    modules = ("pipelines.files.s3", "pipelines.files.s3_client")

    def __init__(self, address: str) -> None:
        import boto3

        self.address = address
        self._client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id="itself",
            aws_secret_access_key="itself",
            region_name="us-east-1",
        )

    def make(self, bucket: str) -> None:
        self._client.create_bucket(Bucket=bucket)

    def put(self, bucket: str, name: str, data: bytes, **fields: Any) -> None:
        self._client.put_object(Bucket=bucket, Key=name, Body=data, **fields)

    def about(self, bucket: str, prefix: str = "") -> dict[str, tuple[bytes, str]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        names = [found["Key"] for page in pages for found in page.get("Contents", ())]
        found = {name: self._client.get_object(Bucket=bucket, Key=name) for name in names}
        return {name: (one["Body"].read(), one["ContentType"]) for name, one in found.items()}

    def error(self, status: int) -> Answer:
        code = {403: "AccessDenied", 503: "SlowDown", 404: "NoSuchKey"}.get(status, "InternalError")
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected: {status}</Message></Error>"
        return Answer(status, body.encode(), {"Content-Type": "application/xml"})

    def environment(self, address: str) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": address,
            "AWS_ACCESS_KEY_ID": "archive",
            "AWS_SECRET_ACCESS_KEY": "archive",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        }

    def forget(self) -> None:
        from pipelines.files import s3_client

        s3_client._made.cache_clear()


@contextmanager
def s3() -> Iterator[Server]:
    """Runs a server of S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3(f"http://{host}:{port}")
    server.stop()


BY_NAME = {"s3": s3}
