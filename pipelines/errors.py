"""Why a job ends without a result; the other reasons are in `tfrecords.errors`."""

from tfrecords.errors import WorldError


class JobFailedError(Exception):
    """The job broke on something that is no single photo's fault; the message is the cause in one line."""


class ModelError(WorldError):
    """The model cannot predict, or predicts what is not a finite number."""


class PhotoProcessError(WorldError):
    """A child process for photos cannot be started, or its code has a fault; then a note holds the traceback."""
