"""What stands where on the report's page: nothing is cut off, covered or out of reach, at any size of the window."""

import pytest
from playwright.sync_api import Page
from shown import opened

WIDTHS = (390, 768, 1280)


def boxes(tab: Page, selector: str) -> list[dict[str, float]]:
    """Where the elements stand in the window."""
    return tab.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(element => {
            const {left, top, right, bottom} = element.getBoundingClientRect();
            return {left, top, right, bottom};
        })""",
        selector,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_thumbnail_is_whole_within_its_frame(tab, tall, width):
    tab.set_viewport_size({"width": width, "height": 900})
    opened(tab, tall)
    tab.wait_for_function("[...document.images].filter(image => image.closest('.tile')).every(image => image.complete)")
    for picture, frame in zip(boxes(tab, ".frame img"), boxes(tab, ".frame"), strict=True):
        for side in ("left", "top"):
            assert picture[side] >= frame[side] - 0.5
        for side in ("right", "bottom"):
            assert picture[side] <= frame[side] + 0.5
