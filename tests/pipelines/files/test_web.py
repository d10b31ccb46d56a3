"""Photos on the web, from a server with faults."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Site, site

from pipelines.errors import Rejected
from pipelines.files import inputs, web
from pipelines.files.sources import Source, everything
from pipelines.files.web_hosts import Host
from tfrecords.errors import OutageError, UserError

PHOTO = bytes(range(256)) * 900


@pytest.fixture
def served() -> Iterator[Site]:
    with site() as server:
        yield server


def found(folder: Path, *urls: str) -> list[Source]:
    (folder / "list.txt").write_text("\n".join(urls))
    return list(everything(str(folder / "list.txt")))


def reason_of(url: str) -> str:
    with pytest.raises(Rejected) as raised:
        web.look_up(url)
    return raised.value.reason


def test_a_list_names_photos_on_the_web(served, tmp_path):
    served.pages = {"/box%201/a.jpg?page=2": PHOTO, "/b.jpg": b"b"}
    host = served.url.removeprefix("http://")
    one, two, gone = found(tmp_path, f"{served.url}/box%201/a.jpg?page=2", f"{served.url}/b.jpg", f"{served.url}/c.jpg")
    assert [photo.name for photo in (one, two, gone)] == [
        f"{host}/box%201/a.jpg?page=2",
        f"{host}/b.jpg",
        f"{host}/c.jpg",
    ]
    assert (one.read(), one.size, one.read(1000), two.read()) == (PHOTO, len(PHOTO), PHOTO[1000:], b"b")
    assert (gone.reason, gone.fault) == ("missing", f"{served.url}/c.jpg: HTTP 404")
    assert served.asked["GET /b.jpg"] == 1
    assert served.asked["GET /robots.txt"] == 1
    # Another ETag is another fingerprint, and the same one is the same.
    assert found(tmp_path, two.uri)[0].fingerprint == two.fingerprint
    served.pages["/b.jpg"] = b"B"
    assert found(tmp_path, two.uri)[0].fingerprint != two.fingerprint


def test_a_scheme_in_capitals_is_the_same_scheme(served, tmp_path):
    served.pages = {"/b.jpg": b"b"}
    [photo] = found(tmp_path, f"{served.url.replace('http', 'HTTP')}/b.jpg")
    assert (photo.name, photo.read(), photo.fault) == (f"{served.url.removeprefix('http://')}/b.jpg", b"b", "")


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_fails_now_and_then_is_read_whole(served, status):
    served.pages["/a.jpg"] = lambda before: (200, PHOTO, {}) if before % 3 == 2 else (status, b"busy", {})
    assert web.look_up(f"{served.url}/a.jpg").size == len(PHOTO)
    assert inputs.read(f"{served.url}/a.jpg") == PHOTO


def test_a_download_that_is_cut_off_is_made_again(served):
    cut = {"Content-Length": str(len(PHOTO))}
    served.pages["/a.jpg"] = lambda before: (200, PHOTO if before else PHOTO[:100_000], dict(cut))
    assert web.read(f"{served.url}/a.jpg") == PHOTO
    assert served.asked["GET /a.jpg"] == 2


def test_statuses_have_their_outcomes(served):
    codes = {"/gone": 410, "/no": 403, "/often": 429, "/broken": 500, "/later": 503}
    headers = {"/later": {"Retry-After": "3600"}}
    for path, code in codes.items():
        served.pages[path] = lambda _, code=code, path=path: (code, b"", dict(headers.get(path, {})))
    served.pages["/a.jpg"] = PHOTO
    web.look_up(f"{served.url}/a.jpg")
    outcomes = {path: reason_of(f"{served.url}{path}") for path in codes}
    assert outcomes == {
        "/gone": "missing",
        "/no": "unreadable",
        "/often": "throttled",
        "/broken": "unreadable",
        "/later": "throttled",
    }


@pytest.mark.parametrize(
    ("broken", "detail"),
    [
        ((200, PHOTO[:100], {"Content-Length": "200"}), "the download ends early"),
        ((200, PHOTO[:100], {"Content-Encoding": "gzip"}), "its compression is damaged"),
    ],
)
def test_a_photo_that_never_arrives_whole_is_at_fault_if_its_host_answers(served, broken, detail):
    served.pages["/a.jpg"] = lambda _: (broken[0], broken[1], dict(broken[2]))
    web.look_up(f"{served.url}/a.jpg")  # the last thing that the host delivered
    with pytest.raises(Rejected) as raised:
        web.read(f"{served.url}/a.jpg")
    assert raised.value.reason == "unreadable"
    assert detail in raised.value.detail


@pytest.mark.parametrize(
    "url", ["http://[bad/a.jpg", "http:///a.jpg", "http://host:99999/a.jpg", "http://ex ample/a.jpg", "http://.x/a.jpg"]
)
def test_what_is_no_url_is_the_fault_of_its_row_alone(served, url, tmp_path):
    served.pages["/a.jpg"] = PHOTO
    (tmp_path / "list.txt").write_text(f"{served.url}/a.jpg\n{url}\n")
    one, other = everything(str(tmp_path / "list.txt"))
    assert not one.fault
    assert other.fault.startswith(f"{url} is not a valid URL")


@pytest.mark.parametrize("place", ["/turn", "file:///etc/passwd", "http://[bad/x", "ftp://host/x"])
def test_a_redirect_that_leads_nowhere_is_not_tried_again(served, place):
    served.pages["/turn"] = lambda _: (302, b"", {"Location": place})
    assert reason_of(f"{served.url}/turn") == "unreadable"
    assert served.asked["HEAD /turn"] <= 31


def test_a_host_is_left_alone_as_long_as_it_asks_for(served, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(web, "SECONDS", 30.0)
    monkeypatch.setattr(Host, "hold", lambda _, seconds: pauses.append(seconds))
    served.pages["/a.jpg"] = lambda before: (200, b"a", {}) if before else (429, b"", {"Retry-After": "7"})
    assert web.look_up(f"{served.url}/a.jpg").size == 1
    assert pauses == [7.0]


def test_robots_decide_what_is_read(served):
    served.pages |= {"/robots.txt": b"User-agent: *\nDisallow: /private\n", "/private/a.jpg": b"a", "/b.jpg": b"b"}
    assert reason_of(f"{served.url}/private/a.jpg") == "disallowed"
    assert not served.asked["HEAD /private/a.jpg"]
    assert web.read(f"{served.url}/b.jpg") == b"b"


def test_a_host_that_is_down_is_nobody_s_outcome_unless_others_answer(served):
    with site() as other:
        other.pages["/a.jpg"] = b"a"
        away = f"{other.url}/b.jpg"
    with pytest.raises(OutageError, match="does not answer"):
        web.look_up(away)
    served.pages["/a.jpg"] = b"a"
    web.look_up(f"{served.url}/a.jpg")
    assert reason_of(away) == "unreadable"
    # And it is not asked again.
    assert web.host_of(web.origin_of(away)).fault
    # A host that no longer delivers what it delivered is down: the photo is not at fault.
    served.pages |= dict.fromkeys(("/a.jpg", "/c.jpg"), lambda _: (500, b"", {}))
    with pytest.raises(OutageError):
        web.look_up(f"{served.url}/c.jpg")


def test_the_info_of_an_iiif_image_stands_for_its_image(served, tmp_path):
    for name, context, size in (
        ("new", "http://iiif.io/api/image/3/context.json", "max"),
        ("old", "…/image/2/…", "full"),
    ):
        id_ = {"id": f"{served.url}/{name}"} if name == "new" else {"@id": f"{served.url}/{name}"}
        served.pages[f"/{name}/info.json"] = json.dumps({"@context": context, **id_}).encode()
        served.pages[f"/{name}/full/{size}/0/default.jpg"] = name.encode()
        [photo] = found(tmp_path, f"{served.url}/{name}/info.json")
        assert (photo.name.partition("/")[2], photo.read()) == (f"{name}/full/{size}/0/default.jpg", name.encode())
    served.pages["/letter/info.json"] = b"Dear archive,"
    assert reason_of(f"{served.url}/letter/info.json") == "unreadable"


def test_a_server_without_head_is_asked_for_the_photo(served):
    served.pages["/a.jpg"] = lambda before: (200, PHOTO, {"ETag": "1"})
    answer = served.pages["/a.jpg"]
    calls = iter([405, 200])
    served.pages["/a.jpg"] = lambda before: answer(before) if next(calls) == 200 else (405, b"", {})
    assert web.look_up(f"{served.url}/a.jpg") == web.Page(uri=f"{served.url}/a.jpg", size=len(PHOTO), tag="1")


def test_few_requests_go_to_a_host_at_once(served, tmp_path):
    served.pages = {f"/{number}.jpg": b"x" for number in range(30)}
    assert len(found(tmp_path, *(f"{served.url}/{number}.jpg" for number in range(30)))) == 30
    assert served.most <= 2


def test_a_tar_on_the_web_has_a_way_round(served, tmp_path):
    served.pages = {"/a.jpg": b"a"}
    assert "download it" in found(tmp_path, f"{served.url}/a.jpg", f"{served.url}/a.tar")[1].fault
    with pytest.raises(UserError, match="in a list is not supported"):
        found(tmp_path, "ftp://host/a.jpg")
