"""Say in one line why a request to a store failed."""

import re

from model import loaded


def in_one_line(error: BaseException) -> str:
    """Return what went wrong, in one line: the reason alone where the library wraps it."""
    text: object = error
    if isinstance(error, loaded.errors("google.auth.exceptions", "GoogleAuthError")) and error.args:
        text = error.args[0]  # the second argument is the whole answer of the server
    elif isinstance(error, loaded.errors("requests.exceptions", "RequestException")) and error.args:
        reason = getattr(error.args[0], "reason", None) or error.args[0]
        text = re.sub(r"^\w+\(.*?\): ", "", str(reason))  # such as "HTTPSConnection(host='…', port=443): "
    return str(text).strip().partition("\n")[0] or type(error).__name__
