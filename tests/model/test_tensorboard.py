import numpy as np
import pytest
import tensorflow as tf

from model.tensorboard import Events, grid
from tfrecords import color
from tfrecords.errors import OutageError


def read(folder) -> list[tf.compat.v1.Event]:
    """The events of a folder in order of file and place, by TensorFlow's own reader."""
    files = sorted(str(path) for path in folder.iterdir())
    return [event for file in files for event in tf.compat.v1.train.summary_iterator(file)]


def test_scalars_are_read_back_by_step(tmp_path):
    events = Events(str(tmp_path / "run"), 0)
    events.scalars(3, {"loss": 0.5, "validation_loss": 0.25})
    version, start, scalars = read(tmp_path / "run")  # flushed: a killed run keeps them
    events.close()
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (1, tf.compat.v1.SessionLog.START)
    assert scalars.step == 3
    assert {value.tag: value.simple_value for value in scalars.summary.value} == {"loss": 0.5, "validation_loss": 0.25}


def test_a_run_that_goes_on_hides_what_it_will_measure_again(tmp_path):
    Events(str(tmp_path), 5).close()
    assert [event.step for event in read(tmp_path)] == [0, 6]


def test_a_picture_is_read_back_as_it_was(tmp_path, photos):
    events = Events(str(tmp_path), 0)
    events.image(2, "photos", photos["coffee"])
    events.close()
    [value] = read(tmp_path)[-1].summary.value
    assert (value.tag, value.image.height, value.image.width, value.image.colorspace) == ("photos", 400, 600, 3)
    np.testing.assert_array_equal(tf.io.decode_png(value.image.encoded_image_string).numpy(), photos["coffee"])


def test_a_sheet_has_grey_and_each_guess_side_by_side(photos):
    pixels = np.ascontiguousarray(photos["coffee"][:64, :64])
    lab = color.srgb_to_lab(pixels)
    luminance, chroma = lab[None, ..., :1] / 100, lab[None, ..., 1:] / 128
    sheet = grid(np.repeat(luminance, 2, 0), np.repeat(chroma, 2, 0), np.repeat(-chroma, 2, 0))
    assert (sheet.shape, sheet.dtype) == ((128, 192, 3), np.uint8)
    assert np.ptp(sheet[:, :64].astype(int), axis=2).max() <= 1, "grey"
    assert np.abs(sheet[:64, 64:128].astype(int) - pixels).max() <= 1, "the truth"
    assert np.abs(sheet[64:, 64:128].astype(int) - pixels).max() <= 1
    assert np.abs(sheet[:64, 128:].astype(int) - pixels).mean() > 10


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OutageError, match=r"run cannot be written \(.*is not a directory\)"):
        Events(str(tmp_path / "run"), 0)
