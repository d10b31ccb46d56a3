"""Errors of libraries that a program may never import.

Google's libraries and requests take a fifth of a second and 45 MB to import, and a run on local disks needs none of
them. An error can only be raised by a module that has been imported, so whoever asks for its class need not import it.
"""

import sys


def errors(module: str, *names: str) -> tuple[type[Exception], ...]:
    """Return error classes of a module, for `isinstance` and ``except``; none if nobody has imported it.

    Args:
        module: the whole name, such as ``requests.exceptions``.
        names: of its classes.
    """
    found = sys.modules.get(module)
    # A module that another thread is importing has some of its classes only, and has raised none of the others.
    return tuple(getattr(found, name) for name in names if hasattr(found, name))
