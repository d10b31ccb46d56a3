"""The address holds what is shown, so that Back, a reload and a bookmark do what they do everywhere."""

import re

from colorized_folder import HOSTILE, NO_UTF_8
from playwright.sync_api import Page, expect
from shown import NAMES, chosen, opened, status


def seen(tab: Page, name: str) -> None:
    expect(tab.locator("#viewer")).to_be_visible()
    expect(tab.locator("#viewer-name")).to_have_text(name)


def test_back_closes_the_photo_and_forward_opens_it_again(tab, folder):
    opened(tab, folder, "#show=rejected")
    tab.locator(".tile").last.click()
    seen(tab, "box 2/vast.jpg")
    tab.go_back()
    expect(tab.locator("#viewer")).to_be_hidden()
    status(tab, "1 to 2 of 2 photos")
    expect(tab.locator(".tile").last).to_be_focused()
    tab.go_forward()
    seen(tab, "box 2/vast.jpg")


def test_a_photo_that_was_closed_does_not_come_back(tab, folder):
    opened(tab, folder)
    chosen(tab, "Rejected")
    tab.locator(".tile").last.click()
    seen(tab, "box 2/vast.jpg")
    tab.get_by_label("Close").click()
    expect(tab.locator("#viewer")).to_be_hidden()
    expect(tab).to_have_url(re.compile("#show=rejected$"))
    tab.go_back()
    status(tab, "1 to 14 of 14 photos")
    expect(tab.locator("#viewer")).to_be_hidden()


def test_an_address_opens_its_photo_also_after_a_reload(tab, folder):
    opened(tab, folder)
    for name in (HOSTILE, NO_UTF_8, "box 1/rocket.jpg"):
        tab.locator(".tile").filter(has=tab.get_by_text(name.rpartition("/")[2], exact=True)).first.click()
        expect(tab.locator("#viewer")).to_be_visible()
        address = tab.url
        tab.reload()
        expect(tab.locator("#viewer")).to_be_visible()
        tab.keyboard.press("Escape")
        expect(tab.locator("#viewer")).to_be_hidden()
        tab.goto("about:blank")
        tab.goto(address)
        expect(tab.locator("#viewer")).to_be_visible()
        tab.keyboard.press("Escape")
        expect(tab.locator("#viewer")).to_be_hidden()
        expect(tab).not_to_have_url(re.compile("photo="))


def test_the_address_follows_from_photo_to_photo(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    tab.get_by_role("button", name="Next ›").click()
    seen(tab, "box 1/astronaut.jpg")
    tab.reload()
    seen(tab, "box 1/astronaut.jpg")
    expect(tab.locator("#place")).to_have_text("3 of 14")
    tab.go_back()
    expect(tab.locator("#viewer")).to_be_hidden()


def test_an_address_finds_its_photo_among_many(tab, many):
    opened(tab, many, "#show=most&photo=box+034%2Fphoto+034857.jpg")
    seen(tab, "box 034/photo 034857.jpg")
    expect(tab.locator("#facts")).to_contain_text("99.9")
    opened(tab, many, "#show=rejected&photo=box+034%2Fphoto+034007.jpg&page=1")
    seen(tab, "box 034/photo 034007.jpg")
    expect(tab.locator("#place")).to_have_text("35 of 100")


def test_an_address_of_a_photo_that_is_not_here_says_so(tab, folder):
    opened(tab, folder, "#photo=gone.jpg")
    status(tab, "gone.jpg is not among these photos")
    expect(tab.locator("#viewer")).to_be_hidden()
    expect(tab.locator(".tile")).to_have_count(14)


def test_what_is_typed_in_one_go_is_one_step_back(tab, folder):
    opened(tab, folder)
    tab.get_by_label("Search in names").press_sequentially("rocket", delay=250)
    expect(tab.locator(NAMES)).to_have_text(["rocket.jpg"])
    tab.go_back()
    status(tab, "1 to 14 of 14 photos")
    expect(tab.get_by_label("Search in names")).to_have_value("")
