import shutil
from pathlib import Path

import numpy as np
import pytest

from model import initial
from model.colorizer import Colorizer
from model.plain_paths import plain
from tfrecords.errors import UserError


def test_a_path_without_wildcards_is_left_alone(tmp_path):
    for path in (str(tmp_path), "run", "gs://bucket/run"):
        with plain(path) as found:
            assert found == path


def test_a_path_with_wildcards_is_reached_through_a_link_that_goes_afterwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with plain("run[1]") as found:
        assert "[" not in found
        (tmp_path / "run[1]").mkdir()
        (Path(found) / "a").write_text("x")
    assert (tmp_path / "run[1]" / "a").read_text() == "x"
    assert not Path(found).parent.exists()


def test_in_a_bucket_such_a_path_is_refused():
    with pytest.raises(UserError, match=r"gs://bucket/run\[1\] for a glob"), plain("gs://bucket/run[1]"):
        pass


def test_a_model_is_loaded_from_a_folder_whose_name_is_a_glob(saved_model_dir, tmp_path):
    copy = tmp_path / "run[1]" / "saved_model"
    shutil.copytree(saved_model_dir, copy)
    luminance = np.full((1, 32, 32, 1), 0.5, np.float32)
    expected = Colorizer.load(saved_model_dir).predict(luminance)
    assert (Colorizer.load(str(copy)).predict(luminance) == expected).all()
    for weight, same in zip(initial.read(str(copy)), initial.read(saved_model_dir), strict=True):
        assert (weight == same).all()
