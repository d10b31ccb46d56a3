"""Errors that are not bugs: what the user can correct, and what the world can."""


class UserError(Exception):
    """Something that the user can correct: a flag, a path, a model, a data folder.

    The message is one line that names it and says how to correct it. Command lines print it and exit with code 2.
    """


class WorldError(RuntimeError):
    """The world failed, and neither the user nor a photo; the message is one line that says how and what to do.

    It stops a job, and nothing is recorded against a photo. Command lines print it and exit with code 1.
    """


class OutageError(WorldError):
    """A disk or a bucket did not answer, or not as it should, for as long as it was tried."""


class LostLeaseError(WorldError):
    """Another run took over the folder that this one writes into."""


class DeniedError(WorldError):
    """Rights or credentials are missing, and not for one file alone.

    Before any work the user can correct that; command lines exit with code 2.
    """
