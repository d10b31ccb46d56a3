"""Time stamps of signatures, from an authority on this machine."""

import datetime
import io

import certificates
import pytest
import timestamps
from PIL import Image

from pipelines.archive import signing
from pipelines.archive.signing import Signing
from pipelines.images import credentials
from pipelines.images.credentials import NotStamped, Signature
from pipelines.images.xmp import Mark
from tfrecords.errors import UserError, WorldError

MARK = Mark(software="Autochrome 1", model_name="unet", model_digest="c0ffee", source_name="mill.jpg")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> certificates.Files:
    return certificates.write(tmp_path_factory.mktemp("signer"))


@pytest.fixture
def authority(tmp_path):
    with timestamps.authority(tmp_path / "authority") as running:
        yield running


def signed(signer: Signing, wait=signing.wait_for_stamp) -> Signature:
    picture, sign = io.BytesIO(), signer.signer()
    Image.new("RGB", (16, 16)).save(picture, "JPEG")

    def answer(asked: credentials.Asked) -> bytes:
        return wait(asked) if isinstance(asked, NotStamped) else sign(asked.data)

    claim = signer.claim(training="", scan_sha256="5ca")
    return credentials.read(credentials.sign(picture.getvalue(), "JPEG", MARK, claim, (b"", ""), answer), "JPEG")


def of(files: certificates.Files, url: str) -> Signing:
    return signing.of(str(files.certificate), str(files.key), "", url)


def test_a_signature_says_when_it_was_made(files, authority):
    signer = of(files, authority.url)
    assert signer.told["timestamp_url"] == authority.url
    authority.time = datetime.datetime(2026, 11, 26, 12, 30, tzinfo=datetime.UTC)
    found = signed(signer)
    assert (found.status, found.stamped) == ("valid", "2026-11-26T12:30:00+00:00")
    assert signed(of(files, "")).stamped == ""
    assert "timestamp_url" not in of(files, "").told


def test_an_authority_that_fails_is_asked_again_and_then_the_job_stops(files, authority):
    signer, said = of(files, authority.url), []

    def wait(failed: NotStamped) -> bytes:
        said.append(failed)
        return b"" if failed.attempt < 3 else signing.wait_for_stamp(failed)

    authority.failures = 2
    assert signed(signer, wait).status == "valid"
    assert [one.attempt for one in said] == [1, 2]
    authority.failures = 3
    with pytest.raises(WorldError, match=r"authority of --sign_timestamp_url fails: .*503.*; 3 attempts failed"):
        signed(signer, wait)


def test_an_authority_that_gives_no_stamp_is_refused_before_work(files, authority):
    authority.failures = 1
    with pytest.raises(UserError, match=rf"--sign_timestamp_url {authority.url} gives no time stamp: .*503"):
        of(files, authority.url)
    with pytest.raises(UserError, match="--sign_timestamp_url needs --sign CERTIFICATE"):
        signing.of("", "", "", authority.url)
