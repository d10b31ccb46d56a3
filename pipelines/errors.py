"""Why a job ends without a result; the other reasons are in `tfrecords.errors`."""


class JobFailedError(Exception):
    """The job broke on something that is no single photo's fault; the message is the cause in one line."""
