import bombs
import pytest
from photo_files import grey_profile, swapped_profile
from PIL import ImageCms

from pipelines.images import icc


@pytest.mark.parametrize(
    "profile", [b"", b"no profile", bytes(200), swapped_profile(), swapped_profile()[:200], grey_profile()]
)
def test_other_profiles_are_for_littlecms_to_judge(profile):
    assert icc.is_usable(profile)


def test_profiles_with_more_elements_than_real_ones_have_are_not_used():
    assert icc.is_usable(bombs.profile_of_elements(5, 8))
    assert icc.is_usable(bombs.profile_of_elements(16, 8))
    assert not icc.is_usable(bombs.profile_of_elements(17, 8))


def test_littlecms_takes_such_a_profile(tmp_path):
    """So that the test above is about what it reads."""
    path = tmp_path / "profile.icc"
    path.write_bytes(bombs.profile_of_elements(2, 8))
    profile = ImageCms.ImageCmsProfile(str(path))
    assert ImageCms.getProfileDescription(profile).strip() == "bomb"
    assert ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
