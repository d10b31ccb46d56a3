"""The exceptions of the pipelines. Three kinds of fault are never mixed:

UserError                the user's: a flag, a path, a model; exit code 2 before any work (`tfrecords.errors`)
WorldError               the world's: the job stops, and no photo is blamed; exit code 1 (`tfrecords.errors`)
  OutageError            a disk or a bucket does not answer (`tfrecords.errors`)
  DeniedError            rights or credentials are missing (`tfrecords.errors`)
  LostLeaseError         another run took over the output (`tfrecords.errors`)
  ModelError             the model cannot predict
  PhotoProcessError      child processes cannot work
Rejected                 the photo's: recorded with a reason code, and the job goes on
Undecided                not known yet: the photo is tried once more, alone
JobFailedError           the job broke; the message is the cause in one line
"""

from tfrecords.errors import WorldError


class JobFailedError(Exception):
    """The job stopped for a reason that is not the fault of one photo; the message is the cause in one line."""


class ModelError(WorldError):
    """The model cannot predict, or predicts what is not a finite number."""


class PhotoProcessError(WorldError):
    """A child process for photos cannot be started, or its code has a fault; then a note holds the traceback."""


class Rejected(Exception):  # noqa: N818 (a verdict on a photo, not a failure of the program)
    """A photo cannot be used.

    Attributes:
        reason: the code under which it is counted, such as ``unreadable``.
        detail: what exactly was found, for people.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Undecided(Exception):  # noqa: N818 (not a failure of the program)
    """A photo whose process died, or had too little memory: try it once more, last and alone, in a fresh process.

    Attributes:
        reason: the code to reject the photo with if that ends in the same way.
        detail: for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
