"""What stands where on the report's page: nothing is cut off, covered or out of reach, at any size of the window."""

import pytest
from colorized_folder import Folder
from playwright.sync_api import Page, expect
from shown import NAMES, chosen, contrast, opened, status

from pipelines import report

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


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes share a place."""
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return not (beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"])


@pytest.mark.parametrize("size", [(390, 844), (844, 390), (1280, 900)])
def test_the_words_before_and_in_colour_do_not_overlap(tab, tall, size):
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    for name in ("portrait.jpg", "tower.jpg", "view.jpg"):
        opened(tab, tall, f"#photo={name}")
        expect(tab.locator("#viewer-name")).to_have_text(name)
        before, after = boxes(tab, ".tag")
        assert before["right"] > before["left"]
        assert not overlap(before, after), name


@pytest.mark.parametrize("width", [320, 390])
def test_previous_and_next_stand_side_by_side_on_a_phone(tab, folder, width):
    tab.set_viewport_size({"width": width, "height": 844})
    opened(tab, folder, "#photo=album.tif")
    expect(tab.locator("#leaf")).to_have_text("page 1 of 2")
    [back], [on] = boxes(tab, "#previous"), boxes(tab, "#next")
    assert back["top"] == on["top"]
    assert on["right"] > width - 40


def test_the_pages_of_many_photos_fit_a_window_at_400_percent(tab, many):
    tab.set_viewport_size({"width": 320, "height": 256})
    opened(tab, many, "#page=1500")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


def test_names_that_start_alike_can_be_told_apart(tab, tmp_path):
    folder = Folder(tmp_path)
    for number in (1, 2):
        name = f"Prefecture of the city, negatives {number:04d}.jpg"
        folder.record(name, status="rejected", reason="unreadable")
    output = folder.write()
    assert report.main([str(output)]) == 0
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        opened(tab, output)
        assert tab.evaluate(
            """() => [...document.querySelectorAll('.name')]
                .every(name => name.scrollWidth <= name.clientWidth && name.scrollHeight <= name.clientHeight)"""
        )


def test_spaces_in_names_are_shown(tab, tmp_path):
    folder = Folder(tmp_path)
    folder.record("a  b.jpg", status="rejected", reason="unreadable")
    output = folder.write()
    assert report.main([str(output)]) == 0
    opened(tab, output)
    assert tab.locator(".name").inner_text() == "a  b.jpg"
    tab.locator(".tile").click()
    assert tab.locator("#viewer-name").inner_text() == "a  b.jpg"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fields_have_an_outline_that_stands_out(tab, many, scheme):
    tab.emulate_media(color_scheme=scheme)
    opened(tab, many)
    for field in ("#search", ".pager input"):
        line = tab.locator(field).first.evaluate("field => getComputedStyle(field).borderTopColor")
        paper = tab.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert contrast(line, paper) >= 3


def test_bars_and_the_chosen_filter_are_seen_with_the_colours_of_the_system(tab, folder):
    tab.emulate_media(forced_colors="active")
    opened(tab, folder)
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    for shown in ("#histogram span", "#outcomes-bar span", ".dot", ".length", "#filters [aria-pressed=true]"):
        colour = tab.locator(shown).first.evaluate("element => getComputedStyle(element).backgroundColor")
        assert colour != paper, shown


def test_on_paper_there_are_photos_and_no_controls(tab, folder):
    opened(tab, folder)
    tab.emulate_media(media="print", color_scheme="dark")
    for control in ("#filters", "#search", ".pager"):
        expect(tab.locator(control).first).to_be_hidden()
    expect(tab.locator("#status")).to_be_visible()
    expect(tab.locator(".tile")).to_have_count(14)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_an_open_photo_is_printed_alone(tab, folder):
    opened(tab, folder, "#photo=album.tif")
    expect(tab.locator("#viewer")).to_be_visible()
    tab.emulate_media(media="print")
    expect(tab.locator(".tile").first).to_be_hidden()
    expect(tab.locator("#facts")).to_be_visible()
    expect(tab.locator("#next")).to_be_hidden()
    assert tab.locator("#viewer").evaluate("viewer => viewer.scrollHeight <= viewer.clientHeight")
