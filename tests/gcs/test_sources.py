"""Photos in a bucket are read as they were listed, or not at all."""

import io
import tarfile

import pytest

from pipelines.errors import Rejected
from pipelines.files import sources


def test_a_photo_that_was_replaced_since_it_was_listed_is_not_read(calm_cloud):
    blob = calm_cloud.itself.blob("scans/a.jpg")
    blob.upload_from_string(b"one")
    [listed] = sources.find(calm_cloud.uri("scans"))
    assert (listed.generation, listed.read()) == (blob.generation, b"one")
    blob.upload_from_string(b"two")
    with pytest.raises(Rejected) as rejected:
        listed.read()
    assert rejected.value.reason == "unreadable"


def test_photos_in_a_tar_are_of_its_generation(calm_cloud):
    box = io.BytesIO()
    with tarfile.open(fileobj=box, mode="w") as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"one"))
    blob = calm_cloud.itself.blob("boxes/box.tar")
    blob.upload_from_string(box.getvalue())
    pattern = calm_cloud.uri("boxes")
    [photo] = [photo for file in sources.find(pattern) for photo in sources.members(file, pattern)]
    assert (photo.name, photo.generation, photo.read()) == ("box/a.jpg", blob.generation, b"one")
    blob.upload_from_string(box.getvalue())
    with pytest.raises(Rejected, match="412"):
        photo.read()
