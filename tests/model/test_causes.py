import pytest
import requests
import tensorflow as tf
import urllib3
from google.auth import exceptions as auth

from model.causes import in_one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError(), "ValueError"),
        (ValueError("  \n"), "ValueError"),
        # The second argument is the whole answer of the server.
        (auth.RefreshError("invalid_grant: expired", {"error": "invalid_grant"}), "invalid_grant: expired"),
        (
            requests.ConnectionError(
                urllib3.exceptions.MaxRetryError(
                    None, "/", urllib3.exceptions.NewConnectionError(None, "Failed to connect: refused")
                )
            ),
            "Failed to connect: refused",
        ),
        (
            tf.errors.ResourceExhaustedError(
                None,
                None,
                "{{function_node __wrapped__SaveV2_device_/job:localhost}} run/ckpt; No space left [Op:SaveV2]",
            ),
            "run/ckpt; No space left",
        ),
        (requests.ConnectionError("HTTPSConnection(host='a.b', port=443): Read timed out."), "Read timed out."),
    ],
)
def test_the_reason_alone_is_told(error, line):
    assert in_one_line(error).endswith(line)
    assert "\n" not in in_one_line(error)
    assert "HTTPSConnection" not in in_one_line(error)
