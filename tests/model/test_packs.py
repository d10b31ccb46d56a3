import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from model import packs
from tfrecords.errors import UserError


@pytest.fixture
def folder(tmp_path, photos):
    """Two training files of three and two pictures, and no held-out ones."""
    pictures = [packs.encode(np.ascontiguousarray(photos["coffee"][place : place + 64, :64]), 80) for place in range(5)]
    files = []
    for index, group in enumerate((pictures[:3], pictures[3:])):
        data = packs.encoded(group)
        assert len(data) == packs.encoded_size([len(picture) for picture in group])
        name = packs.file_name("train", index, 2)
        (tmp_path / name).write_bytes(data)
        files.append(packs.File(name=name, count=len(group), bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    contents = packs.Contents(
        size=64,
        splits={"train": files, "validation": []},
        source={"fingerprint": "f00d"},
        settings={},
        statistics={"train": {}},
    )
    (tmp_path / packs.FILE_NAME).write_text(contents.to_json())
    return tmp_path


def test_what_was_written_is_read(folder, photos):
    contents = packs.describe(folder)
    assert (contents.size, contents.count("train"), contents.count("validation")) == (64, 5, 0)
    assert contents.source == {"fingerprint": "f00d"}
    pictures = packs.read(folder, contents, "train")
    assert len(pictures) == 5
    assert packs.read(folder, contents, "validation") == []
    for place, picture in enumerate(pictures):
        found = packs.decode(picture)
        assert found.shape == (64, 64, 3)
        error = found.astype(float) - photos["coffee"][place : place + 64, :64]
        assert np.sqrt(np.mean(error**2)) < 6


def test_the_fingerprint_follows_the_pictures(folder):
    contents = packs.describe(folder)
    other = packs.Contents(
        size=64,
        splits={**contents.splits, "train": contents.splits["train"][:1]},
        source=contents.source,
        settings={},
        statistics={},
    )
    assert contents.fingerprint != other.fingerprint
    assert contents.fingerprint == packs.describe(folder).fingerprint


def test_a_damaged_file_is_named(folder):
    contents = packs.describe(folder)
    path = folder / packs.file_name("train", 1, 2)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"train-00001-of-00002\.pack is damaged"):
        packs.read(folder, contents, "train")


def test_a_file_that_is_cut_short_or_missing_is_named(folder):
    path = folder / packs.file_name("train", 0, 2)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"train-00000-of-00002\.pack has .* bytes, not"):
        packs.describe(folder)
    path.unlink()
    with pytest.raises(UserError, match=r"train-00000-of-00002\.pack is missing"):
        packs.describe(folder)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "does not describe packs"),
        ("[]", "does not describe packs"),
        ('{"format": "cats"}', "does not describe packs"),
        ('{"format": "autochrome-pack"}', "does not describe packs"),
        (
            '{"format": "autochrome-pack", "size": 8, "splits": {}, "source": {}, "settings": {}, "statistics": {}, '
            '"version": 2}',
            "has version 2",
        ),
    ],
)
def test_a_description_that_cannot_be_used_is_named(tmp_path, text, what):
    (tmp_path / packs.FILE_NAME).write_text(text)
    with pytest.raises(UserError, match=rf"pack\.json {what}"):
        packs.describe(tmp_path)


def test_a_folder_without_packs_is_refused(tmp_path):
    assert not packs.is_pack(tmp_path)
    with pytest.raises(UserError, match=r"has no pack\.json; make it with `autochrome pack`"):
        packs.describe(tmp_path)


def test_another_reader_of_webp_sees_the_same(folder):
    [picture, *_] = packs.read(folder, packs.describe(folder), "train")
    other = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(packs.decode(picture), other)


def test_reading_needs_only_numpy_and_pillow():
    code = "import sys; from model import packs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "PIL", "model"} <= set(done.stdout.split())
    assert not {"cv2", "tensorflow", "keras", "google.protobuf", "google_crc32c"} & set(done.stdout.split())
