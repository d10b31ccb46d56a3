"""Servers of stores, and what is in them, past the proxy."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

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
        anonymous: what is said to somebody without credentials.
        unconditional: what is said of one that ignores the conditions of requests.
        copies: the command that copies its files.
        headers_of_flags: that requests have because of `flags`.
    """

    scheme: str
    address: str
    credentials: tuple[str, ...]
    package: str
    modules: tuple[str, ...]
    anonymous: str
    unconditional: str
    copies: str
    headers_of_flags: dict[str, str]

    def flags(self, address: str) -> list[str]:
        """Flags of jobs that say how to reach the store there."""

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
    anonymous = "is not public and there are no AWS credentials; run `aws configure`"
    unconditional = "is in a store that ignores If-None-Match or If-Match"
    copies = "aws s3 cp --recursive s3://"
    headers_of_flags: ClassVar = {"x-amz-request-payer": "requester"}

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

    def flags(self, address: str) -> list[str]:
        return [f"--s3_endpoint_url={address}", "--s3_request_payer"]

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


class Azure:
    """Azurite, in a process of its own."""

    scheme = "az://"
    credentials = ("AZURE_STORAGE_CONNECTION_STRING",)
    package = "azure.storage.blob"
    modules = ("pipelines.files.azure", "pipelines.files.azure_client")
    anonymous = "names no account; write abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
    unconditional = "cannot be written to"  # its signature has the conditions
    copies = "az storage copy --recursive -s "
    headers_of_flags: ClassVar = {}

    def __init__(self, address: str) -> None:
        from azure.storage.blob import BlobServiceClient

        self.address = address
        self._service = BlobServiceClient.from_connection_string(_connection(address))

    def make(self, bucket: str) -> None:
        self._service.create_container(bucket)

    def put(self, bucket: str, name: str, data: bytes, **fields: Any) -> None:
        self._service.get_blob_client(bucket, name).upload_blob(data, overwrite=True, **fields)

    def about(self, bucket: str, prefix: str = "") -> dict[str, tuple[bytes, str]]:
        container = self._service.get_container_client(bucket)
        found = container.list_blobs(name_starts_with=prefix)
        kinds = {one.name: one.content_settings.content_type for one in found}
        return {name: (container.download_blob(name).readall(), kind) for name, kind in kinds.items()}

    def error(self, status: int) -> Answer:
        code = {403: "AuthorizationFailure", 503: "ServerBusy", 404: "BlobNotFound"}.get(status, "InternalError")
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected: {status}</Message></Error>"
        return Answer(status, body.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code})

    def environment(self, address: str) -> dict[str, str]:
        return {"AZURE_STORAGE_CONNECTION_STRING": _connection(address)}

    def flags(self, address: str) -> list[str]:
        return [f"--azure_connection_string={_connection(address)}"]

    def forget(self) -> None:
        from pipelines.files import azure_client

        azure_client.forget()


def _connection(address: str) -> str:
    """The connection string of the account that Azurite has, whose key everybody knows."""
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    return f"AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint={address}/devstoreaccount1;"


@contextmanager
def azure() -> Iterator[Server]:
    """Runs a server of Azure Blob Storage, which `make test-azure` fetches."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(__file__).parents[2] / ".engines" / "azurite" / "node_modules" / "azurite" / "dist/src/blob/main.js"
    command = ["node", str(program), f"--blobPort={port}", "--inMemoryPersistence", "--skipApiVersionCheck", "--silent"]
    command.append("--disableTelemetry")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield Azure(f"http://127.0.0.1:{port}")
    process.kill()
    process.wait()


BY_NAME = {"s3": s3, "azure": azure}
