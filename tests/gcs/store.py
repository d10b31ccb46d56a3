"""gcp-storage-emulator with what Cloud Storage does and it does not.

After https://cloud.google.com/storage/docs/json_api and https://cloud.google.com/storage/docs/request-preconditions:

* ``ifGenerationMatch`` on reads, uploads, rewrites and deletions (412), ``generation`` on reads (404);
* resumable uploads that keep the part that has come, tell it (308), and answer again once they are finished;
* listings in pages, objects and prefixes counted together, and listings from a name on;
* uploads of nothing in one part;
* ``x-goog-generation``, ``x-goog-hash`` and ``x-goog-stored-content-length`` on downloads; 416 behind the end.

``test_store.py`` tests that.
"""

import json
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from answers import Answer
from keeping import Keeping

_API = re.compile(r"(?:/download)?/storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>[^/]+)(?P<rest>/.*)?)?\Z")
_BUCKET = re.compile(r"/storage/v1/b/[^/]+\Z")
_UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o\Z")
_XML = re.compile(r"/(?P<bucket>[^/]+)/(?P<name>.+)\Z")
_RANGE = re.compile(r"bytes=(?P<start>\d+)-(?P<end>\d*)\Z")
_CONTENT_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<total>\d+|\*)\Z")


@dataclass
class _Session:
    """A resumable upload: where it goes, what has come of it, and the answer once it is done."""

    target: str
    bucket: str
    name: str
    wanted: str | None
    data: bytes = b""
    answer: Answer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Store:
    """The emulator with what it lacks.

    Attributes:
        keeping: what keeps objects from being replaced or removed; None where nothing does.
    """

    def __init__(self, emulator: str, page: int) -> None:
        self._host = emulator.removeprefix("http://")
        self._page = page
        self._locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._sessions: dict[str, _Session] = {}
        self.keeping: Keeping | None = None

    def ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Carries out one request, whose headers have names in lower case."""
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if found := _UPLOAD.match(url.path):
            if "upload_id" in query:
                return self._continue(query["upload_id"], body, headers)
            name = query.get("name") or _name_in(body)
            if query.get("uploadType") == "resumable":
                return self._begin(target, found["bucket"], name, query, body, headers)
            if not body:
                target, body, headers = _as_multipart(target, name, headers)
            return self._checked(found["bucket"], name, query, method, target, body, headers)
        if self.keeping is not None and method == "GET" and _BUCKET.match(url.path):
            return self.keeping.bucket(json.loads(self._forward(method, target, body, headers).body))
        found = _API.match(url.path) or _XML.match(url.path)
        if found is None or not url.path.removeprefix("/storage/v1/b/").strip("/"):
            return self._forward(method, target, body, headers)
        name = unquote(found["name"] or "")
        if not name:
            return self._list(target, query, headers)
        if method == "POST" and (to := re.search(r"To/b/([^/]+)/o/([^/]+)\Z", url.path)):
            return self._checked(to[1], unquote(to[2]), query, method, target, body, headers)
        is_download = method == "GET" and (query.get("alt") == "media" or not url.path.startswith("/storage/v1/"))
        if is_download:
            return self._download(found["bucket"], name, query, headers)
        return self._checked(found["bucket"], name, query, method, target, body, headers)

    def _forward(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = HTTPConnection(self._host, timeout=60)
        kept = {key: value for key, value in headers.items() if key in ("content-type", "content-range", "range")}
        connection.request(method, target, body, {**kept, "Host": headers.get("host", self._host)})
        response = connection.getresponse()
        told = {
            key: value for key, value in response.getheaders() if key.lower().startswith(("content-t", "x-goog", "loc"))
        }
        answer = Answer(response.status, response.read(), told)
        connection.close()
        return answer

    def _resource(self, bucket: str, name: str) -> dict[str, str]:
        """What the emulator says of an object; {} where there is none."""
        found = self._forward("GET", f"/storage/v1/b/{bucket}/o/{_quoted(name)}", b"", {})
        return json.loads(found.body) if found.status == 200 else {}

    def _refusal(self, bucket: str, name: str, wanted: str | None) -> Answer | None:
        """412 where an object is not of the generation that is wanted, 0 for none."""
        there = self._resource(bucket, name).get("generation", "0") if wanted is not None else None
        return Answer.error(412) if there != wanted else None

    def _kept(self, bucket: str, name: str) -> Answer | None:
        """403 where an object is there and kept."""
        if self.keeping is None or not self.keeping.keeps(name) or not self._resource(bucket, name):
            return None
        return self.keeping.refusal(name)

    def _checked(
        self,
        bucket: str,
        name: str,
        query: dict[str, str],
        method: str,
        target: str,
        body: bytes,
        headers: dict[str, str],
    ) -> Answer:
        with self._locks[bucket, name]:
            refused = self._refusal(bucket, name, query.get("ifGenerationMatch"))
            if method != "GET":
                refused = refused or self._kept(bucket, name)
            answer = refused or self._forward(method, target, body, headers)
            if method == "GET" and answer.status == 200 and self.keeping is not None:
                answer.body = json.dumps(self.keeping.object(json.loads(answer.body))).encode()
            return answer

    def _begin(
        self, target: str, bucket: str, name: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> Answer:
        wanted = query.get("ifGenerationMatch")
        if refused := self._refusal(bucket, name, wanted):
            return refused
        answer = self._forward("POST", target, body, headers)
        if answer.status == 200:
            place = urlsplit(answer.headers["Location"])
            place_in_emulator = f"{place.path}?{place.query}"
            upload_id = parse_qs(place.query)["upload_id"][0]
            self._sessions[upload_id] = _Session(place_in_emulator, bucket, name, wanted)
        return answer

    def _continue(self, upload_id: str, body: bytes, headers: dict[str, str]) -> Answer:
        session = self._sessions.get(upload_id)
        if session is None:
            return Answer.error(404)
        with session.lock:
            if session.answer is not None:
                return session.answer
            told = _CONTENT_RANGE.match(headers.get("content-range", f"bytes 0-0/{len(body)}"))
            assert told is not None, headers
            start = int(told["start"] or len(session.data))
            if start > len(session.data):
                return Answer.error(503)
            if told["start"]:
                session.data = session.data[:start] + body
            if told["total"] == "*" or len(session.data) < int(told["total"]):
                last = len(session.data) - 1
                return Answer(308, headers={"Range": f"bytes=0-{last}"} if last >= 0 else {})
            total = len(session.data)
            span = f"bytes 0-{total - 1}/{total}" if total else "bytes */0"
            with self._locks[session.bucket, session.name]:
                refused = self._refusal(session.bucket, session.name, session.wanted)
                refused = refused or self._kept(session.bucket, session.name)
                session.answer = refused or self._forward("PUT", session.target, session.data, {"content-range": span})
            return session.answer

    def keep_part(self, target: str, part: bytes, headers: dict[str, str]) -> None:
        """What a resumable upload keeps of a request that was cut."""
        query = parse_qs(urlsplit(target).query)
        session = self._sessions.get(query.get("upload_id", [""])[0])
        told = _CONTENT_RANGE.match(headers.get("content-range", ""))
        if session is not None and told and told["start"] and int(told["start"]) <= len(session.data):
            session.data = session.data[: int(told["start"])] + part

    def _list(self, target: str, query: dict[str, str], headers: dict[str, str]) -> Answer:
        asked = {key: query[key] for key in ("prefix", "delimiter", "matchGlob") if key in query}
        whole = self._forward("GET", f"{urlsplit(target).path}?{urlencode(asked)}", b"", headers)
        if whole.status != 200:
            return whole
        listed = json.loads(whole.body)
        items = {item["name"]: item for item in listed["items"]}
        rest = sorted(name for name in [*items, *listed["prefixes"]] if name > query.get("pageToken", ""))
        rest = [name for name in rest if name >= query.get("startOffset", "")]
        page = rest[: min(int(query.get("maxResults", self._page)), self._page)]
        listed["items"] = [items[name] for name in page if name in items]
        listed["prefixes"] = [name for name in page if name not in items]
        if page != rest:
            listed["nextPageToken"] = page[-1]
        return Answer(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})

    def _download(self, bucket: str, name: str, query: dict[str, str], headers: dict[str, str]) -> Answer:
        with self._locks[bucket, name]:
            resource = self._resource(bucket, name)
            if not resource or query.get("generation", resource["generation"]) != resource["generation"]:
                return Answer.error(404)
            if query.get("ifGenerationMatch", resource["generation"]) != resource["generation"]:
                return Answer.error(412)
            target = f"/download/storage/v1/b/{bucket}/o/{_quoted(name)}?alt=media"
            asked, size = _RANGE.match(headers.get("range", "")), int(resource["size"])
            if asked and int(asked["start"]) >= size:
                return Answer.error(416)
            answer = self._forward("GET", target, b"", {"range": headers["range"]} if asked else {})
        answer.headers = {key: value for key, value in answer.headers.items() if not key.lower().startswith("x-goog")}
        answer.headers |= {
            "x-goog-generation": resource["generation"],
            "x-goog-hash": f"crc32c={resource['crc32c']},md5={resource['md5Hash']}",
            "x-goog-stored-content-length": str(size),
        }
        if asked:
            end = int(asked["start"]) + len(answer.body) - 1
            answer.headers["Content-Range"] = f"bytes {asked['start']}-{end}/{size}"
        return answer


def _quoted(name: str) -> str:
    return urlencode({"": name}).removeprefix("=").replace("+", "%20")


def _as_multipart(target: str, name: str, headers: dict[str, str]) -> tuple[str, bytes, dict[str, str]]:
    """An upload of nothing, at which the emulator breaks, as one of two parts."""
    parts = ("application/json", json.dumps({"name": name})), ("application/octet-stream", "")
    body = "".join(f"--part\r\nContent-Type: {kind}\r\n\r\n{content}\r\n" for kind, content in parts) + "--part--"
    multipart = {**headers, "content-type": "multipart/related; boundary=part"}
    return target.replace("uploadType=media", "uploadType=multipart"), body.encode(), multipart


def _name_in(body: bytes) -> str:
    """The name in the metadata of a multipart upload."""
    start = body.index(b"{")
    return str(json.JSONDecoder().raw_decode(body[start : start + 65536].decode(errors="replace"))[0]["name"])
