from dataclasses import asdict

import numpy as np
import pytest

from model.framing import recolor_picture
from model.watermark_code import Payload
from pipelines.audit.examine import Examined, examine
from pipelines.errors import Rejected
from pipelines.images import credentials, encode
from pipelines.images.credentials import Signature
from pipelines.images.metadata import Metadata
from pipelines.images.source_types import COMPOSITE
from pipelines.images.xmp import Mark

PAYLOAD = Payload("c0ffee", "0a1b2c")
MARK = Mark(software="Autochrome 1", model_name="unet", model_digest="c0ffee" * 10, source_name="a.tif")


def look(file: bytes, *, cropped: bool = False) -> Examined:
    return examine(None, file, cropped)


@pytest.fixture(scope="module")
def colour(grey_photos) -> np.ndarray:
    chroma = np.full((32, 32, 2), 12, np.float32)
    return recolor_picture(grey_photos["camera"], chroma, None, watermark=PAYLOAD)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_says_it_in_its_metadata_and_in_its_colours(colour, file_format):
    examined = look(encode.encode([(colour, Metadata())], file_format, mark=MARK))
    assert examined.metadata is not None
    assert (examined.metadata.model, examined.metadata.source) == ("unet", "a.tif")
    assert [one.payload for one in examined.watermarks] == [PAYLOAD]
    assert examined.is_marked
    assert examined.signature.status == "none"
    [said] = examined.to_dict()["watermark"]
    assert (said["detected"], said["confidence"], said["model_digest"]) == (True, 1.0, "c0ffee")


def test_without_metadata_the_colours_say_it(colour):
    examined = look(encode.encode([(colour, Metadata())], "JPEG"))
    assert examined.metadata is None
    assert examined.is_marked


@pytest.mark.parametrize(
    ("status", "is_marked"), [("none", False), ("unchecked", False), ("invalid", False), ("valid", True)]
)
def test_only_credentials_that_were_checked_are_a_mark(status, is_marked):
    signature = Signature(status=status, digital_source_types=(COMPOSITE,))
    assert Examined(metadata=None, signature=signature, watermarks=()).is_marked == is_marked


def test_every_page_is_examined(colour, photos):
    pages = [(colour, Metadata()), (photos["chelsea"], Metadata())]
    examined = look(encode.encode(pages, "TIFF"))
    assert [one.detected for one in examined.watermarks] == [True, False]


def test_a_photo_of_a_camera_is_not_marked(encoded, photos):
    examined = look(encoded(photos["chelsea"], "JPEG"), cropped=True)
    assert not examined.is_marked
    assert examined.to_dict() == {
        "metadata": None,
        "signature": asdict(credentials.NONE),
        "watermark": [examined.to_dict()["watermark"][0] | {"page": 1, "detected": False, "model_digest": ""}],
    }


def test_what_is_not_a_photo_is_rejected():
    with pytest.raises(Rejected):
        look(b"not a photo")
