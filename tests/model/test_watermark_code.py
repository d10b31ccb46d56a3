import numpy as np
import pytest

from model.watermark_code import LENGTH, Payload, decode, encode

PAYLOAD = Payload("c0ffee", "0a1b2c")


@pytest.mark.parametrize("payload", [PAYLOAD, Payload("000000", "000000"), Payload("ffffff", "ffffff")])
def test_a_content_is_read_as_it_was_written(payload):
    coded = encode(payload)
    assert coded.shape == (LENGTH,)
    assert set(np.abs(coded)) == {1.0}
    assert decode(coded) == payload


def test_a_content_is_the_beginning_of_two_digests():
    assert Payload.of("c0ffee" + "1" * 58, "0a1b2c" + "2" * 58) == PAYLOAD


@pytest.mark.parametrize("digests", [("c0ff", "0a1b2c"), ("c0ffee", "")])
def test_a_digest_that_is_too_short_is_refused(digests):
    with pytest.raises(ValueError, match="too short"):
        Payload.of(*digests)


def test_noise_twice_as_strong_as_the_signal_is_corrected():
    rng = np.random.default_rng(0)
    read = [decode(encode(PAYLOAD) + rng.normal(0, 1.25, LENGTH)) for _ in range(20)]
    assert read == [PAYLOAD] * 20


def test_noise_alone_says_nothing():
    rng = np.random.default_rng(0)
    assert [decode(rng.normal(0, 1, LENGTH)) for _ in range(30)] == [None] * 30
    assert decode(np.zeros(LENGTH)) is None
