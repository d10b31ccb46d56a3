from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model import bundles

TYPES = ("float32", "float16", "float64", "int32", "int64", "uint32", "uint64")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[dict[str, np.ndarray], Path]:
    """Arrays of all types and several shapes, more than a block of the index holds, and the files of them."""
    random = np.random.default_rng(0)
    shapes = ((), (3,), (0, 2), (2, 3, 1, 300))
    arrays = [random.uniform(0, 99, shapes[number % 4]).astype(TYPES[number % 7]) for number in range(140)]
    saved = {f"{number:03d}_{'long' * (number % 5)}": tf.Variable(array) for number, array in enumerate(arrays)}
    path = tmp_path_factory.mktemp("bundle") / "variables"
    tf.train.Checkpoint(**saved).write(str(path))
    keys = [f"{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in saved]
    return dict(zip(keys, arrays, strict=True)), path


def read(path: Path) -> dict[str, np.ndarray]:
    return bundles.read(path.with_suffix(".index").read_bytes(), path.with_suffix(".data-00000-of-00001").read_bytes())


def test_arrays_are_those_that_tensorflow_wrote(written):
    arrays, path = written
    found = read(path)
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_array_equal(found[key], array)


def test_an_index_that_is_cut_anywhere_is_a_value_error(written):
    _, path = written
    index, data = path.with_suffix(".index").read_bytes(), path.with_suffix(".data-00000-of-00001").read_bytes()
    for part in (b"", index[:-1], index[-48:], index[:200] + index[-48:], b"\xff" * len(index)):
        with pytest.raises(ValueError, match="index"):
            bundles.read(part, data)
    with pytest.raises(ValueError, match="cut short"):
        bundles.read(index, data[:1000])
