import io
from base64 import b64encode
from hashlib import blake2b

import pytest

from pipelines.files.hashes import crc32c, stable_hash


def test_the_hash_of_a_name_is_blake2b_of_its_bytes():
    name = b"caf\xe9.jpg"
    expected = blake2b(name, digest_size=8).digest()
    assert stable_hash(name.decode("utf-8", "surrogateescape")) == expected
    assert stable_hash("a.jpg", size=16) == blake2b(b"a.jpg", digest_size=16).digest()


def test_purposes_give_independent_hashes():
    assert len({stable_hash("a.jpg", purpose) for purpose in ("", "split", "shard", "order", "name")}) == 5


def test_any_surrogate_can_be_hashed_if_asked_for():
    assert stable_hash("\ud800", errors="surrogatepass") == blake2b(b"\xed\xa0\x80", digest_size=8).digest()
    with pytest.raises(UnicodeEncodeError):
        stable_hash("\ud800")


def test_the_checksum_of_the_rest_of_a_file_is_that_of_the_standard():
    file = io.BytesIO(b"before123456789")
    file.seek(6)
    assert crc32c(file) == b64encode(0xE3069283.to_bytes(4)).decode()  # the check value of CRC-32C, RFC 3720
