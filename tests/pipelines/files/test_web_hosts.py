import time
from email.utils import formatdate

import pytest
from clock import Clock

from pipelines.files import web_hosts
from pipelines.files.web_hosts import Host, seconds_of


@pytest.mark.parametrize(("header", "seconds"), [(None, 0), ("", 0), ("120", 120), ("soon", 0), ("-3", 0)])
def test_the_pause_that_a_host_asks_for(header, seconds):
    assert seconds_of(header) == seconds


def test_a_date_is_a_pause_as_well():
    assert 90 < seconds_of(formatdate(time.time() + 100, usegmt=True)) <= 100
    assert seconds_of(formatdate(0, usegmt=True)) == 0


def test_requests_to_a_host_begin_one_after_the_other(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(web_hosts, "time", clock)
    host = Host("https://a")
    host.allows("https://a/x", lambda _: (200, "User-agent: *\nCrawl-delay: 5\n"))
    for _ in range(3):
        with host.turn():
            pass
    host.hold(60)
    with host.turn():
        pass
    assert clock.pauses == [0, 5, 5, 60]


@pytest.mark.parametrize(
    ("text", "path", "is_allowed"),
    [
        ("\ufeffUser-agent: *\nDisallow: /private\n", "/private/a.jpg", False),
        ("User-agent: *\nDisallow: /*.tif$\n", "/box/a.tif", False),
        ("User-agent: *\nDisallow: /*.tif$\n", "/box/a.tif.jpg", True),
        ("User-agent: *\nDisallow: /scans\nAllow: /scans/open\n", "/scans/open/a.jpg", True),
        ("user-AGENT : autochrome # us\r\nDISALLOW : /\r\n\r\nUser-agent: *\r\nDisallow:\r\n", "/a.jpg", False),
        ("User-agent: *\nDisallow: /s%C3%BC\n", "/s\u00fc/a.jpg", False),
        ("<html><body>Not found</body></html>", "/a.jpg", True),
        ("User-agent: other\nDisallow: /\n", "/a.jpg", True),
    ],
)
def test_robots_files_of_all_forms(text, path, is_allowed):
    assert Host("http://h").allows(f"http://h{path}", lambda _: (200, text)) == is_allowed


@pytest.mark.parametrize(("told", "delay"), [("0.5", 0.5), ("2", 2.0), ("never", 0.1), ("9999", 60.0)])
def test_the_delay_that_a_host_asks_for(told, delay):
    host = Host("http://h")
    assert host.allows("http://h/a.jpg", lambda _: (200, f"User-agent: *\nCrawl-delay: {told}\n"))
    assert host._delay == delay


def test_a_missing_robots_file_forbids_nothing_and_is_asked_for_once():
    asked = []
    host = Host("https://a")
    for name in "xy":
        assert host.allows(f"https://a/{name}", lambda url: asked.append(url) or (404, "Disallow: /"))
    assert asked == ["https://a/robots.txt"]
