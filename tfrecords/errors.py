"""Errors that are not bugs: what the user can correct, and what the world can."""


class UserError(Exception):
    """Something that the user can correct: a flag, a path, a model, a data folder.

    The message is one line that says what is wrong and how to correct it. Command lines print it and exit with code 2.
    """


class WorldError(RuntimeError):
    """Something outside the program failed: not the user, not a photo. The message is one line with what to do.

    It stops the job, and no photo is blamed. Command lines print it and exit with code 1.
    """


class OutageError(WorldError):
    """A disk or a bucket failed through all retries."""


class LostLeaseError(WorldError):
    """Another run took over the output folder of this one."""


class DeniedError(WorldError):
    """Access is denied to more than a single file.

    Before any work starts the user can correct that, and command lines exit with code 2.
    """
