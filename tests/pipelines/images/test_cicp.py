import io

import pytest
from PIL import ImageCms

from pipelines.images import cicp, icc
from pipelines.images.cicp import CodePoints


@pytest.mark.parametrize("points", [(1, 99, 0, 1), (3, 13, 0, 1), (10, 8, 0, 1), (1, 13, 1, 1), (2, 2, 0, 1)])
def test_code_points_that_are_unknown_or_of_luma_have_no_profile(points):
    assert cicp.profile(CodePoints(*points), is_grey=False, bits=8) == b""


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 8, 9, 11, 12, 22])
@pytest.mark.parametrize("full_range", [0, 1])
def test_all_others_have_one_that_can_be_used(primaries, full_range):
    for transfer in (4, 5, 7, 8, 13, 16, 18):
        points = CodePoints(primaries, transfer, 0, full_range)
        for is_grey, channels in ((False, 3), (True, 1)):
            made = cicp.profile(points, is_grey=is_grey, bits=8)
            expected = "srgb" if full_range and transfer == 13 and (is_grey or primaries == 1) else "converted"
            assert icc.judged(made, channels) == expected, points
    described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(made))).strip()
    assert described == f"H.273 {primaries}/18"


def test_grey_needs_no_primaries():
    assert cicp.profile(CodePoints(2, 8, 0, 1), is_grey=True, bits=16)
