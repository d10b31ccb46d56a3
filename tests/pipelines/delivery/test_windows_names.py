import pytest

from pipelines.delivery import windows_names


@pytest.mark.parametrize(
    "name",
    [
        *("con", "Aux.jpg", "NUL .tar.gz", "com1.tif", "LPT³.png", "CONIN$"),
        *("a.", "a ", "a:b.jpg", "what?.jpg", "a*.jpg", '"a".jpg', "<a>.jpg", "a|b.jpg", "a\tb.jpg"),
    ],
)
def test_names_that_windows_refuses_or_changes_are_known_wherever_they_are(name):
    assert not windows_names.can_store(name)
    assert not windows_names.can_store(f"data/colour/{name}")
    assert not windows_names.can_store(f"data/{name}/a.jpg")


@pytest.mark.parametrize(
    "path", ["data/colour/box 1/a.b.jpg", "console.jpg", "my con.jpg", "com10.jpg", ".hidden", " a.jpg", "ü ☕'.jpg"]
)
def test_other_names_are_possible(path):
    assert windows_names.can_store(path)
