import pytest
from photo_files import write_names

from pipelines.files.input_checks import check_any
from tfrecords.errors import UserError

FILES = ["a.jpg", "deep/c.jpg", "deep/er/ü ☕.tif"]


@pytest.fixture
def tree(tmp_path):
    return write_names(tmp_path / "photos", FILES)


def test_check_any_is_content(tree):
    for pattern in (tree, tree / "**" / "*.tif", tree / "a.jpg"):
        check_any(str(pattern))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "--input is empty"),
        ("nowhere", "nowhere does not exist"),
        ("nowhere/*.jpg", r"nowhere/\*\.jpg: there is no folder nowhere; name a folder"),
        ("*.webp", r"\*.webp has no photos"),
        ("bare", "bare has no photos"),
        ("nosuch://bucket/x", "nosuch://bucket/x cannot be listed"),
    ],
)
def test_check_any_complains_in_one_line(tree, monkeypatch, pattern, message):
    (tree / "bare" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tree)
    with pytest.raises(UserError, match=message) as raised:
        check_any(pattern)
    assert "\n" not in str(raised.value)


def test_each_path_of_an_input_is_checked(tree, monkeypatch):
    monkeypatch.chdir(tree)
    with pytest.raises(UserError, match="nowhere does not exist"):
        check_any(["a.jpg", "nowhere"])


def test_a_dataset_json_of_somebody_else_does_not_make_photos_records(tree):
    (tree / "dataset.json").write_text('{"name": "cats"}')
    check_any(str(tree))
