"""What tests do with the report's page in a browser: open it, choose photos, read what it says."""

import re
from pathlib import Path

import numpy as np
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


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio of two CSS colours rgb(r, g, b)."""
    light = sorted(_relative_luminance(colour) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def _relative_luminance(colour: str) -> float:
    values = np.array([int(value) for value in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
