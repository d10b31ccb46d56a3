import io
import json

import c2pa
import certificates
import numpy as np
import pytest
from PIL import Image

from pipelines.archive import signing
from pipelines.archive.signing import Signing
from pipelines.images import credentials, encode, pages
from pipelines.images.credentials import Claim
from pipelines.images.metadata import Metadata
from pipelines.images.source_types import COMPOSITE
from pipelines.images.xmp import Mark

MARK = Mark(software="Autochrome 1.2", model_name="unet", model_digest="c0ffee", source_name="box/caf\udce9.tif")
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp"}


@pytest.fixture(scope="module")
def signer(tmp_path_factory) -> Signing:
    files = certificates.write(tmp_path_factory.mktemp("signer"))
    return signing.of(str(files.certificate), str(files.key), "")


@pytest.fixture(scope="module")
def pixels(photos) -> np.ndarray:
    return np.ascontiguousarray(photos["chelsea"][:120, :160])


def signed(signer: Signing, file: bytes, file_format: str, scan: tuple[bytes, str], mark: Mark = MARK) -> bytes:
    claim = Claim(chain=signer.chain, algorithm=signer.algorithm, training="Trained on cats.", scan_sha256="5ca")
    sign = signer.signer()
    return credentials.sign(file, file_format, mark, claim, scan, lambda asked: sign(asked.data))


def xmp(file: bytes) -> bytes:
    return next(pages.read(file)).metadata.xmp


def manifest(file: bytes, file_format: str) -> dict:
    with c2pa.Reader(MIME[file_format], io.BytesIO(file)) as reader:
        return json.loads(reader.json())["manifests"][json.loads(reader.json())["active_manifest"]]


@pytest.mark.parametrize("file_format", MIME)
def test_a_signed_file_is_valid_and_has_the_same_pixels(signer, pixels, encoded, file_format):
    file = encode.encode([(pixels, Metadata())], file_format, mark=MARK)
    made = signed(signer, file, file_format, (encoded(pixels, "PNG"), "PNG"))
    found = credentials.read(made, file_format)
    assert (found.status, found.signer, found.issuer) == ("valid", certificates.NAME, "Tests")
    assert (found.software, found.digital_source_types) == ("Autochrome 1.2", (COMPOSITE,))
    with Image.open(io.BytesIO(made)) as now, Image.open(io.BytesIO(file)) as before:
        assert np.array_equal(np.asarray(now), np.asarray(before))
    assert xmp(made) == xmp(file) != b""


@pytest.mark.parametrize("file_format", MIME)
def test_one_changed_byte_is_noticed(signer, pixels, file_format):
    made = bytearray(signed(signer, encode.encode([(pixels, Metadata())], file_format), file_format, (b"", "")))
    place = 600 if file_format in ("TIFF", "WEBP") else len(made) - 40  # where the pixels are
    made[place] ^= 1
    found = credentials.read(bytes(made), file_format)
    assert found.status == "invalid"
    assert "assertion.dataHash.mismatch" in found.faults


def test_the_manifest_names_scan_model_and_how_the_colours_came_about(signer, pixels, encoded):
    file = encode.encode([(pixels, Metadata())], "PNG")
    said = manifest(signed(signer, file, "PNG", (encoded(pixels, "TIFF"), "TIFF")), "PNG")
    scan, model = sorted(said["ingredients"], key=lambda one: one["relationship"], reverse=True)
    assert (scan["relationship"], scan["title"], scan["description"]) == ("parentOf", "box/caf?.tif", "SHA-256 5ca")
    assert (model["relationship"], model["description"]) == ("inputTo", "SHA-256 c0ffee. Trained on cats.")
    actions, disclosure = (one["data"] for one in said["assertions"])
    assert [one["action"] for one in actions["actions"]] == ["c2pa.opened", "c2pa.edited"]
    assert actions["actions"][1]["softwareAgent"] == {"name": "Autochrome, model unet", "version": "c0ffee"}
    assert disclosure["modelIdentifier"] == "sha256:c0ffee"
    assert disclosure["contentProfile"] == {"humanOversightLevel": "fully_autonomous"}


def test_credentials_of_the_scan_stay_in_those_of_the_result(signer, pixels):
    scan = signed(signer, encode.encode([(pixels, Metadata())], "JPEG"), "JPEG", (b"", ""))
    made = signed(signer, encode.encode([(pixels, Metadata())], "PNG"), "PNG", (scan, "JPEG"))
    assert credentials.read(made, "PNG").status == "valid"
    with c2pa.Reader("image/png", io.BytesIO(made)) as reader:
        assert len(json.loads(reader.json())["manifests"]) == 2


@pytest.mark.parametrize("scan", [(b"no photo", "JPEG"), (b"\x89PNG\r\n\x1a\n cut", "PNG"), (b"BM", "BMP")])
def test_a_scan_that_cannot_be_examined_is_named_all_the_same(signer, pixels, scan):
    said = manifest(signed(signer, encode.encode([(pixels, Metadata())], "PNG"), "PNG", scan), "PNG")
    assert "parentOf" in [one["relationship"] for one in said["ingredients"]]


def test_pages_and_depth_of_a_tiff_stay(signer, pixels):
    deep = pixels.astype(np.uint16) * 257
    file = encode.encode([(deep, Metadata()), (pixels[:50], Metadata())], "TIFF", bit_depth="keep")
    made = signed(signer, file, "TIFF", (b"", ""))
    assert [page.pixels.tolist() for page in pages.read(made)] == [page.pixels.tolist() for page in pages.read(file)]


def test_a_file_without_credentials_has_none(pixels, encoded):
    assert credentials.read(encoded(pixels, "JPEG"), "JPEG") == credentials.NONE
    assert credentials.read(encoded(pixels, "JPEG") + b"jumb c2pa", "JPEG") == credentials.NONE


def test_without_the_library_credentials_are_not_checked(signer, pixels, monkeypatch):
    made = signed(signer, encode.encode([(pixels, Metadata())], "JPEG"), "JPEG", (b"", ""))
    monkeypatch.setattr(credentials, "is_installed", lambda: False)
    assert credentials.read(made, "JPEG").status == "unchecked"
