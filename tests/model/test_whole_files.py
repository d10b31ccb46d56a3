from pathlib import Path

import pytest
import tensorflow as tf

from model import whole_files


@pytest.mark.parametrize("folder", ["", "ram://texts"])
def test_a_text_replaces_the_one_before_and_leaves_nothing_else(tmp_path, folder):
    folder = folder or str(tmp_path)
    path = f"{folder}/name"
    for text in ("first", "then"):
        whole_files.write(path, text)
    assert tf.io.gfile.listdir(folder) == ["name"]
    with tf.io.gfile.GFile(path) as file:
        assert file.read().endswith("then")


def test_a_text_that_cannot_be_written_leaves_the_one_before(tmp_path):
    whole_files.write(str(tmp_path / "name"), "first")
    Path(tmp_path, "name.partial").mkdir()
    with pytest.raises(OSError, match="directory"):
        whole_files.write(str(tmp_path / "name"), "then")
    assert (tmp_path / "name").read_text() == "first"
