"""The stores of objects that photos can be read from and written to, by the scheme of their URIs."""

from functools import cache

from model import interrupt
from pipelines.files.blobs import ObjectStore
from pipelines.files.schemes import SCHEMES
from tfrecords.errors import UserError


def is_object(uri: str) -> bool:
    """Return whether a URI is an object, a folder or a glob in a store."""
    return uri.startswith(SCHEMES)


def of(uri: str) -> ObjectStore:
    """Return the store of a URI.

    Raises:
        UserError: the package that speaks to it is not installed.
    """
    return _of_scheme(uri.partition("://")[0])


@cache
def _of_scheme(scheme: str) -> ObjectStore:
    # Each library is slow to import, and a run on local disks needs none.
    with interrupt.at_once():
        if scheme == "s3":
            try:
                from pipelines.files.s3 import S3
            except ImportError as error:
                raise UserError("s3:// needs boto3; install it with `pip install boto3`, or the extra `s3`") from error
            return S3()
        if scheme in ("az", "abfs", "abfss"):
            try:
                from pipelines.files.azure import Azure
            except ImportError as error:
                needed = "azure-storage-blob and azure-identity"
                install = "`pip install azure-storage-blob azure-identity`, or the extra `azure`"
                raise UserError(f"{scheme}:// needs {needed}; install them with {install}") from error
            return Azure()
        from pipelines.files.gcs import CloudStorage

        return CloudStorage()
