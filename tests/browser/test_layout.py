"""What stands where on the report's page: nothing is cut off, covered or out of reach, at any size of the window."""

import pytest
from playwright.sync_api import Page, expect
from shown import NAMES, chosen, opened, status

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


def test_another_page_and_another_filter_start_at_their_first_photo(tab, many):
    opened(tab, many)
    tab.locator(".tile").last.scroll_into_view_if_needed()
    tab.locator(".pager").first.get_by_label("Next page").click()
    expect(tab.locator(NAMES).first).to_have_text("photo 000060.jpg")
    expect(tab.locator(".tile").first).to_be_in_viewport()
    tab.locator(".tile").last.scroll_into_view_if_needed()
    chosen(tab, "Most colourful")
    expect(tab.locator(".tile").first).to_be_in_viewport()


def test_the_focus_stays_in_the_pager_on_the_last_page(tab, many):
    opened(tab, many, "#page=1666")
    tab.locator(".pager").first.get_by_label("Next page").press("Enter")
    status(tab, "99,961 to 100,000 of 100,000 photos")
    expect(tab.locator(".pager").first.get_by_role("spinbutton")).to_be_focused()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_tile_with_the_focus_is_not_covered_by_the_bar(tab, many, width):
    tab.set_viewport_size({"width": width, "height": 900})
    opened(tab, many)
    tab.locator(".tile").last.focus()
    for _ in range(50):
        tab.keyboard.press("Shift+Tab")
        [tile] = boxes(tab, ".tile:focus")
        [bar] = boxes(tab, ".bar")
        assert tile["top"] >= bar["bottom"]


def test_the_bar_leaves_room_for_photos_on_a_phone_that_lies(tab, many):
    tab.set_viewport_size({"width": 844, "height": 390})
    opened(tab, many)
    tab.locator(".tile").nth(20).scroll_into_view_if_needed()
    expect(tab.locator(".bar")).not_to_be_in_viewport()
