import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.checkpoints import Checkpoints
from tfrecords.errors import OutageError, UserError


def learner(units: int = 1, *, use_bias: bool = False) -> SimpleNamespace:
    """A network of one layer, with one weight if nothing else is said, and its optimizer."""
    network = keras.Sequential([keras.layers.Dense(units, use_bias=use_bias)])
    network.build((None, 1))
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    return SimpleNamespace(model=network, averaged=network, optimizer=optimizer, scaling=[])


def saved(output, *steps: int) -> tuple[Checkpoints, SimpleNamespace]:
    learns = learner()
    state = Checkpoints(str(output), learns, chief=True)
    for step in steps:
        state.step.assign(step)
        learns.model.set_weights([np.full((1, 1), float(step))])
        state.save()
    return state, learns


def restored(output) -> tuple[Checkpoints, float]:
    learns = learner()
    state = Checkpoints(str(output), learns, chief=True)
    assert state.restore()
    return state, float(learns.model.get_weights()[0][0, 0])


def steps_kept(output: Path) -> set[int]:
    names = {path.name.partition(".")[0] for path in (output / "checkpoints").glob("ckpt-*")}
    return {int(name.removeprefix("ckpt-")) for name in names}


def test_the_last_two_checkpoints_are_kept_and_the_last_is_restored(tmp_path):
    saved(tmp_path, 1, 2, 3)
    names = {path.name.partition(".")[0] for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {"checkpoint", "ckpt-2", "ckpt-3"}
    assert tf.train.latest_checkpoint(str(tmp_path / "checkpoints")) == str(tmp_path / "checkpoints" / "ckpt-3")
    state, weight = restored(tmp_path)
    assert (int(state.step), weight, state.torn) == (3, 3.0, [])


def test_a_torn_checkpoint_is_passed_over_and_told(tmp_path):
    saved(tmp_path, 1, 2)
    data = tmp_path / "checkpoints" / "ckpt-2.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-5])
    state, weight = restored(tmp_path)
    assert (int(state.step), weight) == (1, 1.0)
    assert state.torn == [str(tmp_path / "checkpoints" / "ckpt-2")]
    for path in (tmp_path / "checkpoints").glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read; remove the folder to start again"):
        restored(tmp_path)


def test_a_torn_checkpoint_is_deleted_before_a_whole_one(tmp_path):
    saved(tmp_path, 3, 4)
    index = tmp_path / "checkpoints" / "ckpt-4.index"
    index.write_bytes(index.read_bytes()[:-5])
    state, _ = restored(tmp_path)
    state.step.assign(9)
    state.save()
    assert steps_kept(tmp_path) == {3, 9}
    assert (tmp_path / "checkpoints" / "checkpoint").read_text().count('"ckpt-4"') == 0
    assert [int(restored(tmp_path)[0].step)] == [9]


def test_a_torn_checkpoint_that_is_saved_again_is_whole(tmp_path):
    saved(tmp_path, 3, 4)
    index = tmp_path / "checkpoints" / "ckpt-4.index"
    index.write_bytes(b"")
    state, _ = restored(tmp_path)
    for step in (4, 5):
        state.step.assign(step)
        state.save()
    assert steps_kept(tmp_path) == {4, 5}


def loop(path: Path) -> None:
    """Make a file that exists and that no one can open, whatever their rights."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("name", ["", "ckpt-2.index", "ckpt-2.data-00000-of-00001"])
def test_files_that_cannot_be_opened_are_not_torn_checkpoints(tmp_path, name):
    saved(tmp_path, 1, 2)
    loop(tmp_path / "checkpoints" / name)
    state = Checkpoints(str(tmp_path), learner(), chief=True)
    with pytest.raises(OutageError, match=r"checkpoints.* cannot be read \(.*Too many levels"):
        state.restore()
    assert state.torn == []


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_a_checkpoint_with_any_byte_damaged_is_passed_over(tmp_path, ending):
    saved(tmp_path, 1, 2)
    file = tmp_path / "checkpoints" / f"ckpt-2.{ending}"
    whole = file.read_bytes()
    for place in range(0, len(whole), len(whole) // 12):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        state, weight = restored(tmp_path)
        assert (int(state.step), weight) in ((1, 1.0), (2, 2.0))


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    saved(tmp_path, 1)
    with pytest.raises(UserError, match=r"ckpt-1 was written by another version .* choose another --output"):
        Checkpoints(str(tmp_path), learner(units=2), chief=True).restore()
    with pytest.raises(UserError, match=r"ckpt-1 was written by another version .* choose another --output"):
        Checkpoints(str(tmp_path), learner(use_bias=True), chief=True).restore()


def test_a_new_folder_has_nothing_to_restore(tmp_path):
    assert not Checkpoints(str(tmp_path), learner(), chief=True).restore()


def test_a_worker_saves_elsewhere(tmp_path):
    state = Checkpoints(str(tmp_path), learner(), chief=False)
    state.save()
    assert list(tmp_path.iterdir()) == []


def test_the_best_weights_are_those_of_the_lowest_loss(tmp_path):
    state, _ = saved(tmp_path)
    for step, (loss, weight) in enumerate([(0.5, 1.0), (0.3, 2.0), (0.3, 3.0), (0.4, 4.0)], start=1):
        state.step.assign(step)
        state.validated(loss, [np.full((1, 1), weight, np.float32)])
    assert (float(state.best_loss), int(state.best_step), int(state.worse)) == (0.3, 2, 2)
    assert float(state.best[0][0, 0]) == 2.0
    state.save()
    again, _ = restored(tmp_path)
    assert (float(again.best_loss), int(again.worse), float(again.best[0][0, 0])) == (0.3, 2, 2.0)


def test_checkpoints_of_earlier_versions_are_restored(tmp_path):
    """They do not say whether a validation is due: none is."""
    state, _ = saved(tmp_path)
    state.due.assign(True)
    state.reserve.assign(5.0)
    state.step.assign(3)
    earlier = state._earlier.write(str(tmp_path / "checkpoints" / "ckpt-3"))
    assert not [name for name, _ in tf.train.list_variables(earlier) if "due" in name]
    again, _ = restored(tmp_path)
    assert (int(again.step), bool(again.due), float(again.reserve)) == (3, False, 0.0)
    again.due.assign(True)
    again.reserve.assign(7.0)
    again.save()
    last, _ = restored(tmp_path)
    assert (int(last.step), bool(last.due), float(last.reserve)) == (3, True, 7.0)


def test_what_a_kill_while_saving_left_is_removed(tmp_path):
    saved(tmp_path, 3)
    left = tmp_path / "checkpoints" / "ckpt-4_temp"
    left.mkdir()
    (left / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
    saved(tmp_path, 5)
    assert not left.exists()
    assert steps_kept(tmp_path) == {3, 5}
