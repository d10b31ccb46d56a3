"""What the report's page says, to eyes and to screen readers, and what it says when there is little to show."""

import shutil

import pytest
from colorized_folder import Folder
from playwright.sync_api import Page, expect
from report_bench import write_many
from shown import NAMES, opened, status

from pipelines import report


def table(tab: Page, selector: str) -> list[list[str]]:
    """The texts of a table's cells, those that only screen readers see as well."""
    return tab.evaluate(
        """selector => [...document.querySelector(selector).rows]
            .map(row => [...row.cells].map(cell => cell.textContent))""",
        selector,
    )


def test_times_have_a_unit_a_share_and_a_sum(tab, folder):
    opened(tab, folder)
    assert table(tab, "#times") == [
        ["stage", "share", "a photo, on one core"],
        ["read", "5 %", "10 ms"],
        ["decode", "10 %", "20 ms"],
        ["predict", "14 %", "30 ms"],
        ["merge", "19 %", "40 ms"],
        ["encode", "24 %", "50 ms"],
        ["write", "29 %", "60 ms"],
        ["all", "", "210 ms"],
    ]


def test_tones_are_counted_in_pictures_of_which_a_file_has_several(tab, folder):
    opened(tab, folder)
    expect(tab.locator("#tones dd")).to_have_text(["11 pictures", "1 picture"])


def test_the_histogram_names_its_highest_bar(tab, folder):
    opened(tab, folder)
    expect(tab.locator("#histogram")).to_have_attribute(
        "aria-label", "Colourfulness of 10 photos; the highest bar is 4 photos between 35 and 40"
    )


def test_settings_are_folded_and_none_is_without_a_value(tab, tmp_path):
    folded = Folder(tmp_path)
    folded.record("vast.jpg", status="rejected", reason="too_large")
    folder = folded.write()
    told = '{"model": "m", "model_digest": "ab", "settings": {"quality": 95, "sidecar": ""}}'
    (folder / "report.json").write_text(told)
    assert report.main([str(folder)]) == 0
    opened(tab, folder)
    expect(tab.locator("#made")).to_contain_text("model")
    expect(tab.locator("#settings")).to_be_hidden()
    tab.get_by_text("settings").press("Enter")
    assert tab.locator("#settings").inner_text().split() == ["quality", "95", "sidecar", "none"]


def test_one_photo_is_called_one_photo(tab, tmp_path):
    write_many(tmp_path, 1)
    opened(tab, tmp_path)
    status(tab, "1 photo")
    expect(tab.locator("#lead")).to_have_text("1 photo in, one outcome each")


def test_a_search_that_finds_nothing_says_for_what_and_leads_back(tab, folder):
    opened(tab, folder, "#show=rejected&name=zeppelin")
    expect(tab.locator("#nothing")).to_contain_text("No name of these photos has “zeppelin” in it.")
    tab.get_by_role("button", name="Show all photos").click()
    expect(tab.locator(NAMES)).to_have_count(14)
    expect(tab.get_by_label("Search in names")).to_have_value("")
    expect(tab.get_by_label("Search in names")).to_be_focused()


def test_an_empty_folder_says_so(tab, tmp_path):
    write_many(tmp_path, 0)
    opened(tab, tmp_path)
    expect(tab.locator("#nothing-said")).to_have_text("No photo here.")
    expect(tab.get_by_role("button", name="Show all photos")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_without_its_folder_says_what_it_needs(browser, tmp_path, folder, scripts):
    shutil.copy(folder / "index.html", tmp_path)
    context = browser.new_context(java_script_enabled=scripts)
    tab = context.new_page()  # missing files are errors on the console
    tab.goto((tmp_path / "index.html").as_uri())
    expect(tab.locator("body")).to_contain_text("folder “report”, which belongs beside it")
    context.close()
