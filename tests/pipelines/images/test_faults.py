import pytest

from pipelines.images import faults


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("image file is truncated (6 bytes not processed)"), "the file is cut short"),
        (OSError("broken data stream when reading image file"), "the picture is damaged or cut short"),
        (OSError("decoder error -2"), "the picture is damaged or cut short"),
        (ValueError("strips or tiles are missing"), "a part of the picture is missing"),
        (OSError("Unsupported BMP pixel depth (0)"), "this kind of file is not read"),
        (RuntimeError("?"), "the picture is damaged"),
    ],
)
def test_errors_of_libraries_become_words_for_a_curator(error, words):
    assert faults.told(error) == f"{words} ({type(error).__name__}: {error})"
