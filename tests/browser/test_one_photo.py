"""The window of one photo: what closes it, where the focus goes, what happens when data are gone."""

import shutil

from colorized_folder import Folder
from playwright.sync_api import Page, expect
from shown import opened

from pipelines import report


def seen(tab: Page, name: str) -> None:
    expect(tab.locator("#viewer")).to_be_visible()
    expect(tab.locator("#viewer-name")).to_have_text(name)


def test_a_click_beside_the_window_closes_it_and_one_on_its_edge_does_not(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    box = tab.locator("#viewer").bounding_box()
    tab.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
    seen(tab, "album.tif")
    tab.mouse.click(box["x"] - 20, box["y"] + box["height"] / 2)
    expect(tab.locator("#viewer")).to_be_hidden()


def test_text_may_be_selected_beyond_the_window(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    box, name = tab.locator("#viewer").bounding_box(), tab.locator("#viewer-name").bounding_box()
    tab.mouse.move(name["x"] + 30, name["y"] + name["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] - 20, name["y"] + name["height"] / 2, steps=4)
    tab.mouse.up()
    seen(tab, "album.tif")


def test_the_focus_stays_on_the_button_that_goes_on(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    tab.locator("#next").press("Enter")
    seen(tab, "box 1/astronaut.jpg")
    expect(tab.locator("#next")).to_be_focused()
    for _ in range(11):
        tab.keyboard.press("Enter")
    expect(tab.locator("#place")).to_have_text("14 of 14")
    expect(tab.locator("#next")).to_be_disabled()
    expect(tab.locator("#previous")).to_be_focused()


def test_arrow_keys_turn_to_other_photos_when_the_slider_has_no_focus(tab, folder):
    opened(tab, folder)
    tab.get_by_role("button", name="album.tif").click()
    tab.get_by_role("slider").press("ArrowRight")
    seen(tab, "album.tif")
    tab.locator("#next").focus()
    tab.keyboard.press("ArrowRight")
    seen(tab, "box 1/astronaut.jpg")
    tab.keyboard.press("ArrowLeft")
    seen(tab, "album.tif")


def test_each_of_several_quick_steps_counts(tab, folder):
    opened(tab, folder, "#photo=album.tif")
    seen(tab, "album.tif")
    tab.evaluate("for (let i = 0; i < 3; i += 1) document.getElementById('next').click()")
    expect(tab.locator("#place")).to_have_text("5 of 14")
    tab.evaluate("for (let i = 0; i < 20; i += 1) document.getElementById('previous').click()")
    expect(tab.locator("#place")).to_have_text("1 of 14")


def test_data_that_are_gone_are_named(browser, tmp_path, many):
    shutil.copytree(many, tmp_path, dirs_exist_ok=True, ignore=lambda _, names: {"00003.js"} & set(names))
    tab = browser.new_page()  # a file that is missing is an error on the console
    tab.goto((tmp_path / "index.html").as_uri() + "#page=4")
    expect(tab.locator("#status")).to_contain_text("report/data/00003.js is missing")
    expect(tab.locator("#grid")).to_have_attribute("aria-busy", "false")
    tab.locator(".pager").first.get_by_label("Previous page").click()
    expect(tab.locator(".tile")).to_have_count(60)
    tab.locator(".tile").last.click()
    seen(tab, "box 000/photo 000179.jpg")
    (tmp_path / "report/data/00002.js").rename(tmp_path / "report/data/moved.js")
    tab.goto("about:blank")
    tab.goto((tmp_path / "index.html").as_uri() + "#photo=box+000%2Fphoto+000099.jpg")
    seen(tab, "box 000/photo 000099.jpg")
    tab.get_by_role("button", name="Next ›").click()
    expect(tab.locator("#warnings")).to_contain_text("report/data/00002.js is missing")
    tab.context.close()


def test_the_source_opens_as_it_was_where_a_browser_can_open_it(tab, folder):
    opened(tab, folder, "#photo=box+1%2Fcoffee.jpg")
    source = tab.locator("#facts dd", has_text="scans/box 1/coffee.jpg").get_by_role("link")
    with tab.context.expect_page() as linked:
        source.click()
    linked.value.wait_for_load_state()
    assert linked.value.locator("img").evaluate("image => image.naturalWidth") == 600
    for name in ("reel/astronaut.jpg", "box 2/lost.jpg"):  # in a tar; gone
        opened(tab, folder, f"#photo={name}")
        seen(tab, name)
        expect(tab.locator("#facts dt", has_text="source").locator("+ dd").get_by_role("link")).to_have_count(0)


def test_a_source_on_the_web_is_linked_and_other_addresses_are_text(tab, tmp_path):
    folder = Folder(tmp_path)
    for number, uri in enumerate(("https://example.org/a%20b.jpg", "gs://bucket/c.jpg", "javascript:alert(1)")):
        folder.record(f"{number}.jpg", uri=uri, status="rejected", reason="unreadable")
    output = folder.write()
    assert report.main([str(output)]) == 0
    for number, links in enumerate((["https://example.org/a%20b.jpg"], [], [])):
        opened(tab, output, f"#photo={number}.jpg")
        seen(tab, f"{number}.jpg")
        assert tab.locator("#facts a").evaluate_all("all => all.map(one => one.getAttribute('href'))") == links


def test_the_title_of_the_tab_names_the_open_photo(tab, folder):
    opened(tab, folder, "#photo=album.tif")
    expect(tab).to_have_title("album.tif · colour · Autochrome report")
    tab.keyboard.press("Escape")
    expect(tab).to_have_title("colour · Autochrome report")
