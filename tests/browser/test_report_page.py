"""The page of `autochrome report` as people meet it: opened from disk, looked at, filtered, searched."""

import io

import numpy as np
import pytest
from colorized_folder import HOSTILE, NO_UTF_8
from PIL import Image
from playwright.sync_api import Page, expect
from report_bench import write_many
from shown import NAMES, chosen, contrast, opened, status

from pipelines.viewer import search_index


def chroma(tab: Page, left: float, right: float) -> float:
    """Mean of max(RGB) - min(RGB) on a part of the stage, as the eye would see it."""
    shot = np.asarray(Image.open(io.BytesIO(tab.locator("#stage").screenshot())).convert("RGB"), np.int16)
    height, width = shot.shape[:2]
    part = shot[height // 8 : height // 3, int(left * width) : int(right * width)]
    return float(np.ptp(part, axis=2).mean())


def test_the_summary_adds_up(tab, folder):
    opened(tab, folder)
    assert tab.title() == "colour · Autochrome report"
    rows = tab.locator("#outcomes tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["written", "9"],
        ["copied", "1"],
        ["kept", "1"],
        ["skipped", "1"],
        ["rejected: too large", "1"],
        ["rejected: unreadable", "1"],
    ]
    assert tab.locator("#outcomes tfoot").inner_text().split() == ["all", "14"]
    expect(tab.locator("#lead")).to_have_text("14 photos in, one outcome each: 9 + 1 + 1 + 1 + 1 + 1 = 14")
    status(tab, "1 to 14 of 14 photos")
    assert tab.locator("#times tbody tr").count() == 6


def test_every_picture_is_there(tab, folder):
    opened(tab, folder)
    for image in tab.locator(".tile img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        assert image.get_attribute("alt")


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("Rejected", ["cut short.jpg", "vast.jpg"]),
        ("Already in colour", ["postcard.jpg", "slide.jpg"]),
        ("Warnings", [NO_UTF_8]),
    ],
)
def test_filters(tab, folder, filter_, names):
    opened(tab, folder)
    chosen(tab, filter_)
    expect(tab.locator(NAMES)).to_have_text(names)
    tab.reload()
    expect(tab.locator(NAMES)).to_have_text(names)
    tab.go_back()
    status(tab, "1 to 14 of 14 photos")


def test_the_most_and_the_least_colourful(tab, folder):
    opened(tab, folder)
    chosen(tab, "Least colourful")
    expect(tab.locator(NAMES).first).to_have_text(HOSTILE)
    least = tab.locator(NAMES).all_inner_texts()
    chosen(tab, "Most colourful")
    expect(tab.locator(NAMES).first).to_have_text("album.tif")
    assert sorted(tab.locator(NAMES).all_inner_texts()) == sorted(least)
    assert len(least) == 10  # what was measured


def test_an_outcome_of_the_summary_filters(tab, folder):
    opened(tab, folder)
    tab.locator("#outcomes").get_by_role("button", name="rejected: too large").click()
    expect(tab.locator(NAMES)).to_have_text(["vast.jpg"])


def test_search(tab, folder):
    opened(tab, folder)
    tab.get_by_label("Search in names").fill("BOX 1/")
    expect(tab.locator(NAMES)).to_have_text(["astronaut.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"])
    chosen(tab, "Most colourful")
    expect(tab.locator(NAMES)).to_have_text(["coffee.jpg", "astronaut.jpg", "rocket.jpg", "chelsea.jpg"])
    tab.get_by_label("Search in names").fill("box 1/rôcket")
    expect(tab.locator(NAMES)).to_have_text(["rocket.jpg"])
    tab.get_by_label("Search in names").fill("no such photo")
    expect(tab.locator("#nothing")).to_be_visible()
    status(tab, "0 photos")


def test_the_slider_moves_by_keyboard_and_by_mouse(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="In colour: coffee.jpg").first.click()
    slider = tab.get_by_role("slider")
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "50 % before, 50 % in colour")
    assert chroma(tab, 0.1, 0.4) < 3 < 30 < chroma(tab, 0.6, 0.9)
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "100 % before, 0 % in colour")
    assert chroma(tab, 0.6, 0.9) < 3
    slider.press("Home")
    assert chroma(tab, 0.1, 0.4) > 30
    box = tab.locator("#stage").bounding_box()
    tab.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2, steps=5)
    tab.mouse.up()
    assert abs(int(slider.input_value()) - 75) <= 2
    assert chroma(tab, 0.3, 0.7) < 3 < 30 < chroma(tab, 0.8, 0.95)
    line, stage = tab.locator(".divider").bounding_box(), tab.locator("#stage").bounding_box()
    assert abs(line["x"] + line["width"] / 2 - stage["x"] - 0.75 * stage["width"]) < 0.03 * stage["width"]


def test_pages_of_a_file(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    expect(tab.locator("#leaf")).to_have_text("page 1 of 2")
    first = tab.locator("#after").get_attribute("src")
    tab.get_by_label("Page after").click()
    expect(tab.locator("#leaf")).to_have_text("page 2 of 2")
    assert tab.locator("#after").get_attribute("src") != first
    assert tab.locator("#after").evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    expect(tab.get_by_label("Page after")).to_be_disabled()


def test_from_photo_to_photo_and_back(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    tab.get_by_role("button", name="Next ›").click()
    expect(tab.locator("#viewer-name")).to_have_text("box 1/astronaut.jpg")
    expect(tab.locator("#place")).to_have_text("3 of 14")
    tab.keyboard.press("Escape")
    expect(tab.locator("#viewer")).not_to_be_visible()
    expect(tab.locator(".tile").nth(2)).to_be_focused()


def test_what_there_is_of_a_photo_is_shown(tab, folder):
    opened(tab, folder)
    facts = tab.locator("#facts")
    for name, both, said in [
        ("lost.jpg", False, "the source was not there"),
        ("cut short.jpg", False, "rejected: unreadable"),
        ("slide.jpg", False, "skipped"),
        ("turned.jpg", True, "640 × 427 pixels"),
    ]:
        tab.get_by_role("button", name=name).click()
        expect(facts).to_contain_text(said)
        expect(tab.get_by_role("slider")).to_be_visible() if both else expect(tab.get_by_role("slider")).to_be_hidden()
        tab.keyboard.press("Escape")


def test_names_are_text_and_links_lead_to_the_files(tab, folder):
    opened(tab, folder)
    expect(tab.locator(NAMES).first).to_have_text(HOSTILE)
    chosen(tab, "Warnings")
    tab.locator(".tile").click()
    expect(tab.locator("#warnings li")).to_have_text("name is no <b>UTF-8</b>")
    assert tab.locator("#facts a").first.get_attribute("href") == "caf%e9.png"
    tab.keyboard.press("Escape")
    chosen(tab, "All")
    tab.locator(".tile").first.click()
    expect(tab.locator("#viewer-name")).to_have_text(HOSTILE)
    with tab.context.expect_page() as linked:
        tab.locator("#facts a").first.click()
    linked.value.wait_for_load_state()
    assert linked.value.locator("img").evaluate("image => image.naturalWidth") == 451
    assert tab.title() == f"{HOSTILE} · colour · Autochrome report"
    assert tab.locator("img[src='x']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(tab, folder, scheme):
    tab.emulate_media(color_scheme=scheme)
    opened(tab, folder)
    chosen(tab, "Rejected")
    pairs = tab.evaluate(
        """() => ['#lead', '#status', '.folder', '.figures dt', '.none', '#filters [aria-pressed=true]', '.axis', 'h2']
        .map(found => document.querySelector(found)).map(element => {
            let behind = element;
            while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
            return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
        })"""
    )
    for ink, paper in pairs:
        assert contrast(ink, paper) >= 4.5, (ink, paper)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(tab, folder, width):
    tab.set_viewport_size({"width": width, "height": 800})
    opened(tab, folder)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.locator(".tile").first.click()
    assert tab.locator("#viewer").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_100_000_photos(tab, many):
    read: list[str] = []
    tab.on("request", lambda asked: read.append(asked.url))
    opened(tab, many)
    status(tab, "1 to 60 of 100,000 photos")
    assert tab.locator(".tile").count() == 60
    assert len([url for url in read if "/data/" in url or "/names/" in url]) == 1
    tab.locator(".pager").first.get_by_label("Last page").click()
    status(tab, "99,961 to 100,000 of 100,000 photos")
    expect(tab.locator(NAMES).last).to_have_text("photo 099999.jpg")
    tab.locator(".pager").first.get_by_role("spinbutton").fill("835")
    tab.keyboard.press("Enter")
    status(tab, "50,041 to 50,100 of 100,000 photos")
    expect(tab.locator(NAMES).first).to_have_text("photo 050040.jpg")


def test_filters_and_search_among_100_000_photos(tab, many):
    opened(tab, many)
    chosen(tab, "Rejected")
    status(tab, "1 to 60 of 100 photos")
    expect(tab.locator(NAMES).nth(1)).to_have_text("photo 001007.jpg")
    chosen(tab, "Warnings")
    status(tab, "1 to 60 of 200 photos")
    chosen(tab, "Most colourful")
    status(tab, "1 to 60 of 10,000 photos")
    tab.locator(".tile").first.click()
    expect(tab.locator("#facts")).to_contain_text("99.9")
    tab.keyboard.press("Escape")
    chosen(tab, "All")
    tab.get_by_label("Search in names").fill("Photo 0771")
    status(tab, "1 to 60 of 100 photos")
    expect(tab.locator(NAMES).first).to_have_text("photo 077100.jpg")


def test_a_word_is_found_by_the_index_and_a_part_of_one_in_all_names(tab, tmp_path, monkeypatch):
    monkeypatch.setattr(search_index, "SEARCHED_WHOLE", 1000)
    write_many(tmp_path, 25_000)
    opened(tab, tmp_path)
    read: list[str] = []
    tab.on("request", lambda asked: read.append(asked.url))
    tab.get_by_label("Search in names").fill("Photo 023456")
    status(tab, "1 photo")
    assert [url[-15:] for url in read if "/names/0" in url] == ["/names/00003.js"]
    tab.get_by_label("Search in names").fill("Photo 02345")
    status(tab, "1 to 10 of 10 photos")
    assert len([url for url in read if "/names/0" in url]) == 3
    chosen(tab, "Warnings")
    tab.get_by_label("Search in names").fill("box 012")
    status(tab, "1 to 2 of 2 photos")


def test_the_viewer_goes_on_to_the_next_page(tab, many):
    opened(tab, many, "#page=3")
    tab.locator(".tile").last.click()
    tab.get_by_role("button", name="Next ›").click()
    expect(tab.locator("#place")).to_have_text("181 of 100,000")
    tab.keyboard.press("Escape")
    status(tab, "181 to 240 of 100,000 photos")
    expect(tab.locator(".tile").first).to_be_focused()
