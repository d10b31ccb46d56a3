"""Why a job ends without a result, other than by a mistake of its user (`tfrecords.errors.UserError`)."""


class JobFailedError(Exception):
    """The job broke on something that is no single photo's fault; the message is the cause in one line."""
