import os
from pathlib import Path

import pytest
from this_thread import here

from pipelines.files import storage, writable
from tfrecords.errors import UserError


def test_a_check_makes_the_folder_and_leaves_nothing_in_it(tmp_path):
    folder = tmp_path / "a" / "b"
    writable.check(str(folder))
    assert list(folder.iterdir()) == []


def test_what_a_kill_leaves_of_the_probe_is_swept(tmp_path, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", here(killed, os.remove))
        patch.setattr(Path, "unlink", here(killed, Path.unlink))
        with pytest.raises(KeyboardInterrupt):
            writable.check(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    storage.sweep(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_a_file_is_no_folder_to_write_to(tmp_path, output):
    (tmp_path / "file").write_bytes(b"keep")
    with pytest.raises(UserError, match=rf"^--output .*{output} cannot be written to \(.+\); choose") as raised:
        writable.check(str(tmp_path / output))
    assert "\n" not in str(raised.value)
    assert (tmp_path / "file").read_bytes() == b"keep"


def test_an_unknown_scheme_cannot_be_written_to():
    with pytest.raises(UserError, match="nosuch://bucket cannot be written to"):
        writable.check("nosuch://bucket")
