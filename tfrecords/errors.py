"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """Something that the user can mend: a flag, a path, a model, a data folder.

    The message is one line that names the thing and the mend. Command lines print it and exit with code 2.
    """
