import numpy as np
import pytest

from pipelines.guidance import reference_files
from tfrecords.errors import UserError


def test_a_photo_and_a_folder_are_references(tmp_path, photos, encoded):
    for name in ("coffee", "chelsea"):
        (tmp_path / f"{name}.jpg").write_bytes(encoded(photos[name], "JPEG"))
    both = reference_files.load(str(tmp_path))
    assert [one.name for one in both.files] == ["chelsea.jpg", "coffee.jpg"]
    alone = reference_files.load(str(tmp_path / "coffee.jpg"))
    [one] = alone.files
    assert one == both.files[1]
    assert (alone.name, alone.sha256) == ("coffee.jpg", one.sha256)
    assert both.sha256 not in (one.sha256, both.files[0].sha256)
    assert one.opened().light.shape == (256, 256)
    assert one.opened().chroma.mean() > 10
    assert len(one.picture) < 200_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("grey.png", "it is grey"),
        ("nearly.png", "it is grey"),
        ("sepia.png", "it has one hue, as a toned print has; name photos in colour"),
        ("text.jpg", "unreadable"),
        ("none.jpg", "cannot be read|has 0"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, encoded, name, message):
    (tmp_path / "grey.png").write_bytes(encoded(np.full((40, 40, 3), 90, np.uint8), "PNG"))
    nearly = np.random.default_rng(0).integers(90, 93, (40, 40, 3)).astype(np.uint8)
    (tmp_path / "nearly.png").write_bytes(encoded(nearly, "PNG"))
    grey = np.random.default_rng(0).integers(20, 230, (40, 40, 1))
    (tmp_path / "sepia.png").write_bytes(encoded((grey * [1.0, 0.85, 0.65]).astype(np.uint8), "PNG"))
    (tmp_path / "text.jpg").write_bytes(b"Dear archive,")
    with pytest.raises(UserError, match=message):
        reference_files.load(str(tmp_path / name))


def test_flat_colours_of_several_hues_are_a_reference(tmp_path, encoded):
    """Their chroma follows their luma, as in a toned print."""
    flat = np.tile(np.array([[[150, 70, 50]], [[70, 130, 60]], [[90, 140, 210]]], np.uint8), (4, 12, 1))
    (tmp_path / "street.png").write_bytes(encoded(flat, "PNG"))
    assert len(reference_files.load(str(tmp_path / "street.png")).files) == 1


def test_files_beside_the_references_that_are_sidecars_or_left_by_systems_are_ignored(tmp_path, photos, encoded):
    (tmp_path / "coffee.jpg").write_bytes(encoded(photos["coffee"], "JPEG"))
    for name in (".DS_Store", "Thumbs.db", "coffee.jpg.xmp", "notes.txt", "._coffee.jpg"):
        (tmp_path / name).write_bytes(b"")
    assert [one.name for one in reference_files.load(str(tmp_path)).files] == ["coffee.jpg"]


def test_too_many_references_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reference_files, "MOST", 2)
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(UserError, match="has 3 files; name a photo, or a folder of up to 2"):
        reference_files.load(str(tmp_path))
