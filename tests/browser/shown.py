"""What tests do with the report's page in a browser: open it, choose photos, read what it says."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

NAMES = ".tile .name"


def opened(tab: Page, folder: Path, hash_: str = "") -> Page:
    """The page of a folder, from disk, once its photos stand."""
    tab.goto((folder / "index.html").as_uri() + hash_)
    expect(tab.locator("#grid")).to_have_attribute("aria-busy", "false")
    return tab


def chosen(tab: Page, name: str) -> None:
    """Press a filter."""
    tab.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(tab.locator("#filters [aria-pressed=true]")).to_contain_text(name)


def status(tab: Page, text: str) -> None:
    """Expect what the page says about its photos."""
    expect(tab.locator("#status")).to_have_text(text)
