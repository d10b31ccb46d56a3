"""The page of `autochrome report` with 100,000 photos: time to write it, and what a browser takes to show it.

    python tests/bench/report_bench.py [--photos=100000]

Needs Chromium and playwright, see `make test-browser`. Times are from the navigation, or from the click, until the
tiles of the page's 60 photos stand; the medians of three.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pipelines.archive.manifest import Output, Record
from pipelines.viewer import html
from pipelines.viewer.summary import Summary

PHOTOS = 100_000


def many_records(photos: int = PHOTOS) -> Iterator[Record]:
    """Every 1000th is rejected, every 500th has a warning, colourfulness goes from 0.0 to 99.9 by turns."""
    for number in range(photos):
        name = f"box {number // 1000:03d}/photo {number:06d}.jpg"
        if number % 1000 == 7:
            yield Record(
                name=name,
                uri=f"/scans/{name}",
                offset=None,
                fingerprint="1-1",
                status="rejected",
                reason="unreadable",
                detail="cut short",
            )
            continue
        output = Output(
            name=name,
            page=1,
            width=3000,
            height=2000,
            bytes=10**6,
            sha256="ab",
            tone="toned",
            colourfulness=number * 7 % 1000 / 10,
        )
        warnings = ("faded",) if number % 500 == 3 else ()
        yield Record(
            name=name,
            uri=f"/scans/{name}",
            offset=None,
            fingerprint="1-1",
            status="written",
            outputs=(output,),
            warnings=warnings,
        )


def write_many(folder: Path, photos: int = PHOTOS) -> None:
    """The page of a number of photos; they have no thumbnails."""
    summary = Summary.of(many_records(photos))
    for name, data in html.pages(many_records(photos), summary, {}, "many", set()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def median(work: Callable[[], None]) -> float:
    """Seconds."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def opened(tab: Page, address: str) -> None:
    tab.goto("about:blank")
    tab.goto(address)
    tab.locator(".tile").nth(59).wait_for()


def filtered(tab: Page, filter_: str) -> None:
    tab.locator("[data-filter=all]").click()
    tab.locator("[data-filter=all][aria-pressed=true]").wait_for()
    tab.locator(f"[data-filter={filter_}]").click()
    tab.locator(f"[data-filter={filter_}][aria-pressed=true]").wait_for()
    tab.locator("#grid[aria-busy=false] .tile").first.wait_for()


def searched(tab: Page, text: str) -> None:
    tab.locator("#search").fill("")
    tab.locator("#search").fill(text)
    tab.wait_for_function("document.getElementById('status').textContent === '1 photo'")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=PHOTOS)
    photos = parser.parse_args().photos
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        started = time.process_time()
        write_many(Path(folder), photos)
        print(f"{photos:,} photos: {time.process_time() - started:.1f} s of one core to write the page")
        print(f"report/index.js {(Path(folder) / 'report/index.js').stat().st_size / 1e6:.2f} MB")
        flags = ["--no-sandbox"]  # nothing but this page is opened
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        print(f"open {median(partial(opened, tab, (Path(folder) / html.FILE).as_uri())):.2f} s")
        for filter_ in ("rejected", "warnings", "most", "least"):
            print(f"{filter_} {median(partial(filtered, tab, filter_)):.2f} s")
        tab.locator("[data-filter=all]").click()
        print(f"search in names {median(partial(searched, tab, f'{photos // 2:06d}')):.2f} s")
        browser.close()


if __name__ == "__main__":
    main()
