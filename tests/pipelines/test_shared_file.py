import pytest

from pipelines import shared_file


def test_what_is_appended_comes_after_what_is_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a\n")
    shared_file.append(str(path), b"b\n")
    shared_file.append(str(path), b"c\n")
    assert path.read_bytes() == b"a\nb\nc\n"


def test_a_file_that_was_removed_is_not_made_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        shared_file.append(str(tmp_path / "file"), b"late")
    assert not list(tmp_path.iterdir())
