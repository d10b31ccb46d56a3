"""Chromium, without a window, and folders to look at: something of everything, odd shapes, 100,000 photos."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from colorized_folder import Folder, colorized
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from report_bench import write_many

from pipelines import report

WIDTH, HEIGHT = 1280, 900


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("there is no Chromium; install one with: apt-get install chromium")
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to work for root, as whom containers run.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=found, args=flags)
        yield launched
        launched.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A page that fails its test when a script in it fails, or anything but a file is asked for."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.on(
        "request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
    )
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, np.ndarray]) -> Path:
    output = colorized(tmp_path_factory.mktemp("folder"), photos).write()
    assert report.main([str(output)]) == 0
    return output


@pytest.fixture(scope="session")
def tall(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, np.ndarray]) -> Path:
    """The page of a portrait, a tower of 1 : 20 and a panorama of 20 : 1."""
    folder = Folder(tmp_path_factory.mktemp("tall"))
    for name, size in (("portrait.jpg", (300, 600)), ("tower.jpg", (60, 1200)), ("view.jpg", (1200, 60))):
        picture = Image.fromarray(photos["coffee"]).resize(size)
        files = []
        for shown in (picture.convert("L"), picture):
            shown.save(buffer := io.BytesIO(), "JPEG")
            files.append(buffer.getvalue())
        folder.add(name, *files, [np.asarray(picture)])
    output = folder.write()
    assert report.main([str(output)]) == 0
    return output


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 100,000 photos; they have no thumbnails."""
    output = tmp_path_factory.mktemp("many")
    write_many(output)
    return output
