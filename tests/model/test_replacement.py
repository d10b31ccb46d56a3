"""Exports are interrupted at each step of writing; whoever reads then must find a whole model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from model import replacement, saved_model

STEPS = ("copy", "makedirs", "remove", "rename", "rmtree")
CALLS = 60
"""More than a replacement takes."""


class Killed(BaseException):
    """Ends the program, as far as its files are concerned."""


def write(folder: str, name: str) -> None:
    """Write the files of a model whose contents are all its name."""
    for file in ("saved_model.pb", "variables/variables.index", f"variables/{name}.data-00000-of-00001"):
        path = tf.io.gfile.join(folder, file)
        tf.io.gfile.makedirs(path.rpartition("/")[0])
        Path(path).write_text(name)
    Path(folder, "autochrome.json").write_text(json.dumps({"format_version": 1, "name": name}))


def replace(path: str, name: str) -> None:
    with replacement.of(path) as made:
        write(made, name)


def contents(folder: str) -> dict[str, str]:
    found = {}
    for place, _, names in tf.io.gfile.walk(folder):
        for name in names:
            file = tf.io.gfile.join(place, name)
            with tf.io.gfile.GFile(file) as opened:
                found[file.removeprefix(f"{folder}/")] = opened.read()
    return found


_copy, _remove = tf.io.gfile.copy, tf.io.gfile.remove


def copy(source: str, target: str, overwrite: bool) -> None:
    """Copy as into a bucket: TensorFlow's file system in memory appends to what is there."""
    if overwrite and tf.io.gfile.exists(target):
        _remove(target)
    _copy(source, target, overwrite)


@pytest.fixture(params=["local", "bucket"])
def path(request, tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(tf.io.gfile, "copy", copy)
    name = f"{request.function.__name__}/run/saved_model"
    return str(tmp_path / name) if request.param == "local" else f"ram://{name}"


@pytest.fixture
def killed_at(path, monkeypatch) -> Callable[[int], None]:
    """Have the program end before the n-th change to files from now on."""
    left = [CALLS]

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return original(*args, **kwargs)

        return call

    for step in STEPS:
        monkeypatch.setattr(tf.io.gfile, step, counted(getattr(tf.io.gfile, step)))

    def arm(calls: int) -> None:
        left[0] = calls

    return arm


def test_a_reader_finds_a_whole_model_wherever_an_export_is_killed(path, tmp_path, killed_at):
    expected = {}
    for name in ("old", "new"):
        write(str(tmp_path / name), name)
        expected[name] = contents(str(tmp_path / name))
    seen, killed = [], 0
    for calls in range(CALLS):
        killed_at(CALLS)
        replace(path, "old")
        assert contents(path) == expected["old"]
        killed_at(calls)
        try:
            replace(path, "new")
        except Killed:
            killed += 1
        killed_at(CALLS)
        found = contents(saved_model.folder(path))
        name = saved_model.check(path)["name"]
        assert found == expected[name]
        seen.append(name)
        # The next start makes of it what a program without this rule can read.
        replacement.recover(path)
        assert contents(saved_model.folder(path)) == expected[name]
        if not saved_model.is_remote(path):
            assert contents(path) == expected[name]
        replace(path, "new")
        assert contents(path) == expected["new"]
        beside = {entry.rstrip("/") for entry in tf.io.gfile.listdir(path.rpartition("/")[0])}
        assert beside == {"saved_model"}
    assert 3 < killed < CALLS
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == "old"


def test_the_first_export_is_whole_or_absent(path, killed_at):
    killed_at(1)
    with pytest.raises(Killed):
        replace(path, "new")
    assert not saved_model.is_whole(saved_model.folder(path))
    killed_at(CALLS)
    replace(path, "new")
    assert saved_model.check(path)["name"] == "new"


def test_what_is_read_while_it_is_replaced_is_read_again(path):
    replace(path, "old")
    names = iter(["new", "newest"])
    read = []

    def load(folder: str) -> dict[str, str]:
        read.append(contents(folder))
        if (name := next(names, None)) is not None:
            replace(path, name)
        return read[-1]

    assert saved_model.read(path, load)["saved_model.pb"] == "newest"
    assert len(read) == 3


def test_an_error_of_a_model_that_nobody_replaces_is_raised_at_once(path):
    replace(path, "old")
    read = []

    def load(folder: str) -> None:
        read.append(folder)
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        saved_model.read(path, load)
    assert read == [path]
