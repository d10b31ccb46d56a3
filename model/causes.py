"""Say in one line why a request to a store, or work on a file, failed."""

import re

from model import loaded

TENSORFLOW = "tensorflow.python.framework.errors_impl"
"""The module of TensorFlow's errors, see `model.loaded`."""
# TensorFlow's messages begin with the operation, and end with it: `{{function_node …}} PATH; REASON [Op:SaveV2]`.
_OPERATION = re.compile(r"^(\{\{.*?\}\} *)+|( *\[(Op:|\[\{\{).*)$")


def in_one_line(error: BaseException) -> str:
    """Return what went wrong, in one line: the reason alone where the library wraps it."""
    text: object = error
    if isinstance(error, loaded.errors("google.auth.exceptions", "GoogleAuthError")) and error.args:
        text = error.args[0]  # the second argument is the whole answer of the server
    elif isinstance(error, loaded.errors("requests.exceptions", "RequestException")) and error.args:
        reason = getattr(error.args[0], "reason", None) or error.args[0]
        text = re.sub(r"^\w+\(.*?\): ", "", str(reason))  # such as "HTTPSConnection(host='…', port=443): "
    elif isinstance(error, loaded.errors(TENSORFLOW, "OpError")):
        text = _OPERATION.sub("", str(error.message).strip().partition("\n")[0])  # type: ignore[attr-defined]
    return str(text).strip().partition("\n")[0] or type(error).__name__


def of_file(error: BaseException) -> str:
    """Return why work on a file failed, without the file's name where the error tells them apart."""
    if isinstance(error, OSError):
        return error.strerror or in_one_line(error)
    return in_one_line(error).rpartition("; ")[2]
