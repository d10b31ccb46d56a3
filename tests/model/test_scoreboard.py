import dataclasses
import shutil

import numpy as np
import pytest
import skimage.data
from skimage.transform import resize

from model import export, networks, scoreboard
from model.classifier import Classifier
from model.colorizer import Colorizer
from model.config import mini, unet
from model.metrics import Scores
from model.synsets import SYNSETS
from tfrecords import color, dataset
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.example import LabExample
from tfrecords.shards import ShardWriter


def write(folder, photos: list[np.ndarray], synset: str = "") -> str:
    """A prepared set of one validation shard, whose photos all show `synset`."""
    with (folder / "validation").open("wb") as file:
        writer = ShardWriter(file)
        for index, photo in enumerate(photos):
            lab = color.srgb_to_lab(np.ascontiguousarray(photo))
            luminance = color.quantize_luminance(np.ascontiguousarray(lab[..., 0]))
            chroma = color.quantize_chroma(np.ascontiguousarray(lab[..., 1:]))
            writer.write(
                LabExample(
                    luminance=luminance, chroma=chroma, height=32, width=32, name=f"{index}.png", synset=synset
                ).to_bytes()
            )
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


def test_the_ceiling_is_the_truth_at_the_side_where_the_model_computes_color(saved_model_dir, tmp_path):
    """The miniature autoencoder computes chroma at 16 of 32 px: means of 2 x 2 pixels, brought up bilinearly."""
    photo = skimage.data.coffee()[100:132, 200:232]
    data = write(tmp_path, [photo])
    board = scoreboard.score([Colorizer.load(saved_model_dir)], data, "validation")
    _, ceiling, grey = board.rows
    assert (ceiling.name, ceiling.to_dict()["grid"], grey.name) == ("truth at 16 px", 16, "grey")
    [(luminance, chroma)] = dataset.load(data, "validation").as_numpy_iterator()
    luminance, ab = 100 * luminance, 128 * chroma
    small = ab.reshape(16, 2, 16, 2, 2).mean(axis=(1, 3))
    seen = resize(small, (32, 32), order=1, mode="edge", anti_aliasing=False).astype(np.float32)
    scores = Scores()
    scores.add(*(color.lab_to_srgb(np.concatenate([luminance, one], axis=-1)) for one in (ab, seen)))
    for name, value in scores.to_dict().items():
        assert ceiling.scores[name] == pytest.approx(value, rel=0.01), name


def test_each_grid_has_one_ceiling_and_a_finer_one_is_higher(saved_model_dir, tmp_path):
    coarse = str(tmp_path / "coarse")
    config = dataclasses.replace(mini(unet()), name="coarse")
    export.write(
        coarse,
        config,
        networks.build(config).get_weights(),
        Description(size=config.size, splits={}, settings={}, outcomes={}),
        {},
    )
    again = shutil.copytree(saved_model_dir, tmp_path / "again")
    models = [Colorizer.load(path) for path in (coarse, saved_model_dir, str(again))]
    photo = skimage.data.coffee()[100:132, 200:232]
    (tmp_path / "data").mkdir()
    board = scoreboard.score(models, write(tmp_path / "data", [photo]), "validation")
    assert [row.name for row in board.rows[3:]] == ["truth at 16 px", "truth at 8 px", "grey"]
    fine, coarser = board.rows[3:5]
    assert fine.scores["pooled_psnr"] > coarser.scores["pooled_psnr"]
    assert [row.to_dict()["grid"] for row in board.rows[:3]] == [8, 16, 16]


def test_only_grey_pictures_are_an_error(saved_model_dir, tmp_path):
    grey = np.repeat(skimage.data.camera()[100:132, 100:132, None], 3, axis=-1)
    with pytest.raises(UserError, match="all 1 validation pictures are grey"):
        scoreboard.score([Colorizer.load(saved_model_dir)], write(tmp_path, [grey]), "validation")


def test_photos_with_a_class_are_named_by_the_published_classifier(saved_model_dir, tmp_path):
    """A cat of 32 px, seen by a network for 224 px: what counts is that each row is judged by its own pictures."""
    cat = np.ascontiguousarray(skimage.data.chelsea()[20:276:8, 100:356:8])
    judge = Classifier()
    data = write(tmp_path, [cat, cat[:, ::-1]])
    assert scoreboard.score([Colorizer.load(saved_model_dir)], data, "validation").recognition == {
        "labelled": 0,
        "features": 0,
    }
    [[luminance, chroma], _] = dataset.load(data, "validation").as_numpy_iterator()
    truth, grey = (
        color.lab_to_srgb(np.concatenate([100 * luminance, 128 * ab], axis=-1)) for ab in (chroma, 0 * chroma)
    )
    named = judge.classify(np.stack([truth, grey]))[1]
    for number in {*named.tolist(), 0}:
        data = write(tmp_path, [cat], SYNSETS[number])
        board = scoreboard.score([Colorizer.load(saved_model_dir)], data, "validation")
        assert board.recognition == {"labelled": 1, "features": 0, "top1": 100.0 * (named[0] == number)}
        assert board.rows[-1].scores["top1"] == 100.0 * (named[1] == number)
        assert all("fd_lite" not in row.scores for row in board.rows)
