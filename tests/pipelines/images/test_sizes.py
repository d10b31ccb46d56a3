import pytest

from pipelines.errors import Rejected
from pipelines.images import sizes

KILOBYTE, MEGABYTE, SCAN = 1000, 1_000_000, 50_000_000


@pytest.mark.parametrize(
    ("size", "file_size", "options", "accepted"),
    [
        ((13_377, 13_377), SCAN, {"sample_bytes": 3}, True),
        ((13_378, 13_378), SCAN, {}, False),
        ((1_000_000, 100), SCAN, {}, True),
        ((1_000_001, 1), SCAN, {}, False),
        ((1, 1_000_001), SCAN, {}, False),
        # without colour, or in it, from files of few bytes
        ((9400, 9500), KILOBYTE, {"sample_bytes": 3}, True),
        ((9500, 9500), KILOBYTE, {}, False),
        ((9900, 10_000), MEGABYTE, {"sample_bytes": 3}, True),
        ((10_100, 10_000), MEGABYTE, {}, False),
        # an A0 plan at 300 dpi
        ((9933, 14_043), KILOBYTE, {"is_bilevel": True}, True),
        # what each pixel takes
        ((10_000, 8000), MEGABYTE, {"sample_bytes": 8}, True),
        ((9400, 9400), KILOBYTE, {"sample_bytes": 16}, False),
        ((5000, 5000), KILOBYTE, {"sample_bytes": 128}, False),
        ((13_000, 13_000), 500_000_000, {"sample_bytes": 8}, True),
    ],
)
def test_how_large_a_page_may_be(size, file_size, options, accepted):
    if accepted:
        sizes.check(*size, file_size, **options)
    else:
        with pytest.raises(Rejected, match=f"too_large.*{size[0]} x {size[1]} pixels"):
            sizes.check(*size, file_size, **options)


@pytest.mark.parametrize(
    ("count", "stored", "shared", "file_size", "accepted"),
    [
        (1000, 900, 0, KILOBYTE, True),
        (1001, 900, 0, KILOBYTE, False),
        (2500, MEGABYTE, 0, MEGABYTE, True),
        (2501, MEGABYTE, 0, MEGABYTE, False),
        (2, KILOBYTE + 1, 0, KILOBYTE, False),
        (1, 2 * KILOBYTE, 0, KILOBYTE, True),
        (17, 900, 150_000_000, KILOBYTE, True),
        (17, 900, 150_000_001, KILOBYTE, False),
    ],
)
def test_pages_are_as_many_as_their_bytes_allow(count, stored, shared, file_size, accepted):
    if accepted:
        sizes.check_pages(count, stored, shared, file_size)
    else:
        with pytest.raises(Rejected, match="too_large"):
            sizes.check_pages(count, stored, shared, file_size)


def test_a_raised_limit_allows_an_a0_plan_of_210_megapixels():
    with pytest.raises(Rejected, match="--max_megapixels"):
        sizes.check(15_000, 14_000, 14_778, is_bilevel=True)
    with sizes.allowing(250_000_000):
        sizes.check(15_000, 14_000, 14_778, is_bilevel=True)
