"""Photos that are refused, or read without a part of what they say, before any of it takes memory or time."""

import bomb_profiles
import bomb_tiffs
import bombs
import numpy as np
import pytest

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.reading import AS_IT_IS, Reading


def verdict_of(data: bytes, reading: Reading = AS_IT_IS) -> Rejected:
    with pytest.raises(Rejected) as raised:
        list(pages.read(data, reading))
    return raised.value


def test_scans_that_change_nothing_are_too_many(monkeypatch):
    data = bombs.progressive(2000, 2000, scans=2000)
    verdict = verdict_of(data)
    assert (verdict.reason, verdict.detail) == ("too_large", "2,001 scans of 2000 x 2000 pixels")
    assert len(list(pages.read(bombs.progressive(200, 200, scans=2000)))) == 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_photo_comes_out_without_a_profile_that_cannot_be_used(bits):
    chunk = b"p\0\0" + bomb_tiffs.deflated(bomb_profiles.profile_of_elements(1000, 8), 1)
    (page,) = pages.read(bombs.png(8, 8, bits, bombs.RGB, extra=bombs.chunk(b"iCCP", chunk)))
    (plain,) = pages.read(bombs.png(8, 8, bits, bombs.RGB))
    np.testing.assert_array_equal(page.pixels, plain.pixels)
    assert page.metadata.warnings == ("profile_dropped",)


def test_an_icon_is_no_larger_than_other_pictures():
    assert verdict_of(bombs.ico(400, 400), Reading(most_pixels=399 * 400)).reason == "too_large"
    assert next(pages.read(bombs.ico(300, 400))).pixels.shape == (400, 300, 3)


@pytest.mark.parametrize("size", [(100_000_000, 1), (1, 100_000_000)])
def test_no_side_is_longer_than_a_million(size):
    assert verdict_of(bombs.png(*size)).detail.endswith("no side may have more than 1,000,000")


@pytest.mark.parametrize(("most", "said"), [(178_956_970, "179"), (200_000_000, "200")])
def test_a_picture_that_pillow_refuses_is_told_the_flag(most, said):
    detail = verdict_of(bombs.png(20_000, 20_000), Reading(most_pixels=most)).detail
    assert detail == f"400 million pixels are more than {said} million; --max_megapixels allows more"


def test_a_webp_is_measured_before_it_is_opened():
    data = bytearray(bombs.webp(64, 64))
    data[21:25] = (0x3FFF | 0x3FFF << 14).to_bytes(4, "little")
    assert verdict_of(bytes(data)).detail.startswith("16384 x 16384 pixels are more than 179 million")


def test_pages_of_a_few_bytes_are_counted():
    verdict = verdict_of(bomb_tiffs.tiff(8, 8, 1, photometric=1, pages=1500))
    assert (verdict.reason, verdict.detail[:11]) == ("too_large", "1,500 pages")
    verdict = verdict_of(bomb_tiffs.tiff(4000, 4000, 1, photometric=1, pages=10, rows=4000))
    assert verdict.detail.endswith("they overlap")
