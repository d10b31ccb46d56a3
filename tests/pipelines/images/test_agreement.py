import numpy as np
import pytest
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import agreement

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:200, 100:300])


def test_the_same_picture_may_be_rounded_in_other_ways():
    agreement.check(PHOTO, np.clip(PHOTO.astype(int) + 2, 0, 255).astype(np.uint8), "one", "other")


@pytest.mark.parametrize("other", [PHOTO[::-1], PHOTO[..., ::-1], PHOTO[:-1], np.zeros_like(PHOTO)])
def test_both_decoders_are_named_where_they_disagree(other):
    with pytest.raises(Rejected, match=r"one and other see") as raised:
        agreement.check(PHOTO, other, "one", "other")
    assert raised.value.reason == "decoders_disagree"
