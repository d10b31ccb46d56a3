import math

import pytest

from model.guidance import ranges


@pytest.mark.parametrize(("value", "is_in"), [(0, True), (1.5, True), (4, True), (-0.1, False), (4.1, False)])
def test_a_value_out_of_its_range_is_refused(value, is_in):
    assert ranges.holds("saturation", value) == is_in
    if not is_in:
        with pytest.raises(ValueError, match="saturation must be a number from 0 to 4, not "):
            ranges.check("saturation", value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="saturation must be"):
        ranges.check("saturation", value)
