"""Why a job ends without a result, other than by a mistake of its user (`tfrecords.errors.UserError`)."""


class JobFailedError(Exception):
    """The job broke on something that is no single photo's fault; the message is the cause in one line."""


class WorldError(RuntimeError):
    """The world failed and not a photo; the message is one line that says what happened and what to do.

    It stops a job, and nothing is recorded against a photo.
    """


class OutageError(WorldError):
    """A disk or a bucket did not answer, or not as it should, for as long as it was tried."""


class DeniedError(WorldError):
    """Rights or credentials are missing, and not for one file alone."""
