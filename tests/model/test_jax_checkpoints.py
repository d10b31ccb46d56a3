import numpy as np
import pytest

from model.jax_checkpoints import Checkpoints, Figures
from tfrecords.errors import UserError

LIKE = [np.zeros((3, 2), np.float32), np.zeros((), np.int64)]


def saved(output, *steps: int) -> Checkpoints:
    checkpoints = Checkpoints(str(output))
    for step in steps:
        checkpoints.save(Figures(step=step, seconds=step / 2), [LIKE[0] + step, LIKE[1] + step])
    return checkpoints


def names(output) -> set[str]:
    return {path.name for path in (output / "checkpoints").iterdir()}


def test_the_last_checkpoint_is_restored_and_two_are_kept(tmp_path):
    saved(tmp_path, 1, 2, 3)
    assert names(tmp_path) == {"ckpt-2.npz", "ckpt-3.npz"}
    figures, arrays = Checkpoints(str(tmp_path)).restore(LIKE)
    assert figures == Figures(step=3, seconds=1.5)
    np.testing.assert_array_equal(arrays[0], LIKE[0] + 3)
    assert arrays[1] == 3


def test_a_folder_without_checkpoints_starts_a_run(tmp_path):
    assert Checkpoints(str(tmp_path)).restore(LIKE) is None


@pytest.mark.parametrize("kept", [0, 50, -30])
def test_a_torn_checkpoint_does_not_outlive_the_whole_one(tmp_path, kept):
    saved(tmp_path, 3, 4)
    path = tmp_path / "checkpoints" / "ckpt-4.npz"
    path.write_bytes(path.read_bytes()[:kept])
    again = Checkpoints(str(tmp_path))
    figures, _ = again.restore(LIKE)
    assert (figures.step, again.torn) == (3, [str(path)])
    again.save(Figures(step=9), LIKE)
    assert names(tmp_path) == {"ckpt-3.npz", "ckpt-9.npz"}


def test_a_flipped_bit_is_noticed(tmp_path):
    saved(tmp_path, 3, 4)
    path = tmp_path / "checkpoints" / "ckpt-4.npz"
    data = bytearray(path.read_bytes())
    place = data.index(np.float32(4).tobytes())
    data[place] ^= 1
    path.write_bytes(data)
    figures, _ = Checkpoints(str(tmp_path)).restore(LIKE)
    assert figures.step == 3


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path):
    saved(tmp_path, 3)
    (tmp_path / "checkpoints" / "ckpt-4.partial").write_bytes(b"half")
    figures, _ = Checkpoints(str(tmp_path)).restore(LIKE)
    assert figures.step == 3


def test_only_torn_checkpoints_are_refused(tmp_path):
    saved(tmp_path, 3)
    (tmp_path / "checkpoints" / "ckpt-3.npz").write_bytes(b"")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read; remove the folder"):
        Checkpoints(str(tmp_path)).restore(LIKE)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    saved(tmp_path, 3)
    with pytest.raises(UserError, match="another version of the network"):
        Checkpoints(str(tmp_path)).restore([LIKE[0], LIKE[0]])


def test_what_a_kill_while_saving_left_is_removed(tmp_path):
    saved(tmp_path, 3)
    (tmp_path / "checkpoints" / "ckpt-4.partial").write_bytes(b"half")
    saved(tmp_path, 5)
    assert names(tmp_path) == {"ckpt-3.npz", "ckpt-5.npz"}
