import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.files.surrogates import escaped, unescaped


@given(st.text() | st.text("\\\\udce9\udce9\ud800ü", max_size=30))
def test_every_text_comes_back(text):
    assert unescaped(escaped(text)) == text
    escaped(text).encode()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ü \U0001f4f7.jpg", "ü \U0001f4f7.jpg"),
        (r"C:\scans\new.jpg", r"C:\scans\new.jpg"),
        ("caf\udce9.jpg", r"caf\udce9.jpg"),
        (r"caf\udce9.jpg", r"caf\\udce9.jpg"),
    ],
)
def test_only_text_that_would_be_mistaken_has_more_backslashes(text, written):
    assert escaped(text) == written


def test_a_byte_that_is_not_utf_8_is_written_as_in_json():
    assert f'"{escaped("caf" + chr(0xDCE9))}"' == json.dumps("caf\udce9")
