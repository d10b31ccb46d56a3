import numpy as np
import pytest
import skimage.data

from model import scoreboard
from model.colorizer import Colorizer
from tfrecords import color
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.example import LabExample
from tfrecords.shards import ShardWriter


def write(folder, photos: list[np.ndarray]) -> str:
    """A prepared set of one validation shard."""
    with (folder / "validation").open("wb") as file:
        writer = ShardWriter(file)
        for index, photo in enumerate(photos):
            lab = color.srgb_to_lab(np.ascontiguousarray(photo))
            luminance = color.quantize_luminance(np.ascontiguousarray(lab[..., 0]))
            chroma = color.quantize_chroma(np.ascontiguousarray(lab[..., 1:]))
            writer.write(LabExample(luminance, chroma, 32, 32, f"{index}.png").to_bytes())
        shard = writer.finished("validation")
    description = Description(size=32, splits={"train": [], "validation": [shard]}, settings={}, outcomes={})
    (folder / FILE_NAME).write_text(description.to_json())
    return str(folder)


def test_grey_pictures_are_left_out_and_counted(saved_model_dir, tmp_path):
    colour = skimage.data.coffee()[100:132, 200:232]
    grey = np.repeat(skimage.data.camera()[100:132, 100:132, None], 3, axis=-1)
    colorizer = Colorizer.load(saved_model_dir)
    (tmp_path / "both").mkdir()
    (tmp_path / "one").mkdir()
    both = scoreboard.score([colorizer], write(tmp_path / "both", [grey, colour, grey]), "validation")
    one = scoreboard.score([colorizer], write(tmp_path / "one", [colour]), "validation")
    assert (both.images, both.grey_images) == (1, 2)
    for first, second in zip(both.rows, one.rows, strict=True):
        assert first.scores == pytest.approx(second.scores, rel=1e-4)
    np.testing.assert_array_equal(both.sheet.shape, one.sheet.shape)


def test_only_grey_pictures_are_an_error(saved_model_dir, tmp_path):
    grey = np.repeat(skimage.data.camera()[100:132, 100:132, None], 3, axis=-1)
    with pytest.raises(UserError, match="all 1 validation pictures are grey"):
        scoreboard.score([Colorizer.load(saved_model_dir)], write(tmp_path, [grey]), "validation")
