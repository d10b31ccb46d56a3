"""The exceptions of the pipelines. Three kinds of fault are never mixed:

UserError                the user's: a flag, a path, a model; exit code 2 before any work (`tfrecords.errors`)
WorldError               the world's: the job stops, and no photo is blamed; exit code 1 (`tfrecords.errors`)
  OutageError            a disk or a bucket does not answer (`tfrecords.errors`)
  DeniedError            rights or credentials are missing (`tfrecords.errors`)
  LostLeaseError         another run took over the output (`tfrecords.errors`)
  ModelError             the model cannot predict
  PhotoProcessError      child processes do not work
Rejected                 the photo's: recorded with a reason code, and the job continues
Undecided                unknown so far: the photo is tried once more, alone
JobFailedError           the job failed; the message is the cause in one line
"""

from tfrecords.errors import WorldError


class JobFailedError(Exception):
    """The job stopped, and not because of a single photo; the message is the cause in one line."""


class ModelError(WorldError):
    """The model cannot predict, or its predictions are not finite numbers."""


class PhotoProcessError(WorldError):
    """A child process for photos cannot be started, or its code has a bug; then a note contains the traceback."""


class Rejected(Exception):  # noqa: N818 (a verdict on a photo, not a failure of the program)
    """A photo cannot be used.

    Attributes:
        reason: the code under which it is counted, such as ``unreadable``.
        detail: what exactly was found, as a readable message.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Undecided(Exception):  # noqa: N818 (not a failure of the program)
    """The process of a photo died or had too little memory: retry the photo once, last and alone, in a fresh process.

    Attributes:
        reason: the code to reject the photo with if the second attempt ends in the same way.
        detail: a readable message.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
