import numpy as np
import pytest

from pipelines.images.strips import PIXELS, by_strips, strips


@pytest.mark.parametrize("size", [(1, 1), (1, 10**6), (10**6, 1), (777, 1003)])
def test_strips_cover_every_row_once(size):
    found = list(strips(*size))
    assert [row for rows in found for row in range(rows.start, rows.stop)] == list(range(size[0]))
    assert all((rows.stop - rows.start) * size[1] <= max(PIXELS, size[1]) for rows in found)


@pytest.mark.parametrize("shape", [(5, 7), (900, 1000), (900, 1000, 3)])
def test_what_is_made_by_strips_is_what_is_made_at_once(shape):
    values = np.random.default_rng(0).integers(0, 100, shape, np.uint16)
    found = by_strips(lambda rows: values[rows] // 3, *shape[:2])
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, values // 3)
    assert found.flags.c_contiguous
    assert found.flags.writeable


def test_strips_may_be_larger():
    assert len(list(strips(1000, 1000))) == 4
    assert len(list(strips(1000, 1000, 1 << 20))) == 1
