"""The manifest of a colorized folder: one record per input, as JSON Lines that jq can read, or as Parquet.

    OUTPUT/manifest/photos-00000-of-00004.jsonl     one record per input; each shard holds a range of names, sorted;
                                                    with --manifest_format parquet photos-00000-of-00004.parquet, see
                                                    `pipelines.archive.parquet_records`
    OUTPUT/manifest/timings-00000-of-00004.jsonl    of the same inputs {"name": …, "milliseconds": {stage: float},
                                                    "outputs": [fingerprint of each file when it was written]}
    OUTPUT/manifest/rejected-00000-of-00004.jsonl   the rejected inputs of the same ranges, if there are more than
                                                    100,000; then OUTPUT/rejected.jsonl is not written
    OUTPUT/manifest/shards.json                     of each shard number of records, SHA-256 and first name
    OUTPUT/manifest/runs.json                       model and settings of each run into this folder, oldest first
    OUTPUT/manifest/last_run.json                   photos that the last run made or tried to make (left_out: those
                                                    without a file), found done (including kept ones) and kept; files
                                                    that it replaced and removed; the time it took
    OUTPUT/manifest/journal/*.jsonl                 records of a run that is running or was killed; removed at its end
    OUTPUT/manifest/lease.json                      which run writes into the folder, see `pipelines.archive.lease`

A record in ``photos-*.jsonl``, shown here on several lines, always has all of these fields:

    {"name": "box 1/scan.tif",          path relative to --input, forward slashes; a name that is not UTF-8 has \\udcXX
     "uri": "/archive/box 1/scan.tif",  the file, or the tar that contains it
     "offset": null,                    of its first byte in that tar, else null
     "fingerprint": "4711-17000000",    size and modification time (or generation) of the source, as listed
     "status": "written",               written: in colour now      rejected
                                        copied, skipped: it is in colour and --on_color asked for this
                                        kept: an existing file was left alone because of --keep_existing, because
                                        somebody changed it (warning changed_since), or because no record says that
                                        Autochrome wrote it (warning occupied); model, digests and run are those of
                                        the run that made the file, empty if no run did
     "reason": "", "detail": "",        code and message of a rejection, else empty
     "bytes": 4711, "sha256": "9f…",    of the source; 0 and "" if it could not be read
     "format": "TIFF",                  of the source, in Pillow's spelling; "" if unknown
     "outputs": [                       one per page, in order; pages of one TIFF share name, bytes and sha256;
                                        empty if skipped or rejected
       {"name": "box 1/scan.tif",       path relative to --output
        "page": 1,                      counted from 1
        "width": 3000, "height": 2000,  pixels, upright; the same for the output and the source page
        "bytes": 123456, "sha256": "…", of the file
        "unsigned_sha256": "",          of the file before it was signed, the same in every run; "" if it was not
        "made_sha256": "",              of the file as Autochrome wrote it, if somebody changed it since; else ""
        "tone": "toned",                of the source: "grayscale", "near_gray", "toned" or "color" (already)
        "colourfulness": 31.2,          of the output (Hasler and Süsstrunk 2003); null if it was kept or copied
        "picture": null}],              left, top, right and bottom of the picture within its border, in pixels: only
                                        this got colour; null if no border was found
        "label": 0,                     rows that --label added below, which the height does not count
     "model": "unet", "model_digest": "…", "settings_digest": "…",     model and settings that made the photo
     "saturation": 1.0,                 factor of the model's chroma
     "color_space": "srgb",             of the files: srgb, adobe_rgb, display_p3 or ecirgb_v2
     "guided": {},                      {"hints": {"file", "sha256", "method", "reach"}} if hints guided the colours,
                                        method: network, blend or optimise;
                                        likewise palette, reference; "saturation" and "skip" by a rule
     "run": 1,                          the entry of runs.json for them, counted from 1
     "left": [{"name": "…", "sha256": "…"}],      files of earlier runs that are still in the output, as they were
                                        written; only for a photo that is rejected now
     "warnings": ["…"]}                 remarks for the user: codes of `images.metadata`, or text

Times differ between runs, so they and the last run have their own files. Everything else, including the shards of
records and ``report.json``, has the same bytes, even after kills and resumed runs.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from typing import Any, Self

from pipelines.files import safe_names
from pipelines.files.compact import Compact
from pipelines.files.hashes import stable_hash
from pipelines.runtime.outcomes import Outcome, Status

FOLDER = "manifest"
REPORT_FILE = "report.json"
JOURNAL = f"{FOLDER}/journal"
RUNS_FILE = f"{FOLDER}/runs.json"
LAST_RUN_FILE = f"{FOLDER}/last_run.json"
REJECTED_SHARDS = f"{FOLDER}/rejected-*.jsonl"
JSON_LINES, PARQUET = FORMATS = ("jsonl", "parquet")
CHANGED, OCCUPIED = "changed_since", "occupied"
STAGES = ("read", "decode", "predict", "merge", "encode", "write")
_RECORDS_PER_SHARD = 10_000  # about 8 MB, which a browser can load at once
_JOURNAL = re.compile(rf"{JOURNAL}/\w+(?:-\w+)+\.jsonl\Z", re.ASCII)
_SHARD = re.compile(r"(?P<kind>photos|timings|rejected)(?P<part>-\d{5,}-of-\d{5,})\.(?P<format>jsonl|parquet)\Z")


@dataclass(frozen=True, kw_only=True)
class Output(Compact):
    """A file made from one page; the fields are described at the top of the module.

    Attributes:
        fingerprint: of the file when it was written, see `storage.fingerprint`; in the journal and in the timings.
    """

    name: str
    page: int
    width: int
    height: int
    bytes: int
    sha256: str
    tone: str
    colourfulness: float | None
    made_sha256: str = ""
    unsigned_sha256: str = ""
    picture: tuple[int, int, int, int] | None = None
    label: int = 0
    fingerprint: str = field(default="", compare=False)

    @property
    def was_changed(self) -> bool:
        """Whether somebody changed the file after it was written."""
        return bool(self.made_sha256)


@dataclass(frozen=True)
class Left(Compact):
    """A file of an earlier run that is still in the output; the fields are described at the top of the module."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Record(Compact):
    """The result for one input; the fields are described at the top of the module.

    Attributes:
        milliseconds: by stage; in the journal and in the timings, not in the shards.
        at: when it was written, in nanoseconds since 1970; only in the journal, where the latest record of a name wins.
        pending: whether its files were about to be written and may or may not be there; only in the journal.
    """

    name: str
    uri: str
    offset: int | None
    fingerprint: str
    status: Status
    reason: str = ""
    detail: str = ""
    bytes: int = 0
    sha256: str = ""
    format: str = ""
    outputs: tuple[Output, ...] = ()
    model: str = ""
    model_digest: str = ""
    settings_digest: str = ""
    saturation: float = 1.0
    color_space: str = "srgb"
    guided: dict[str, Any] = field(default_factory=dict)
    run: int = 0
    warnings: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict, compare=False)
    at: int = field(default=0, compare=False)
    pending: bool = field(default=False, compare=False)

    @property
    def key(self) -> str:
        """The name that it is counted under: the reason of a rejection, else the status."""
        return self.reason or self.status

    @property
    def bytes_out(self) -> int:
        """Size of its files in bytes; the pages of one TIFF count once."""
        return sum({output.name: output.bytes for output in self.outputs}.values())

    @property
    def was_changed(self) -> bool:
        """Whether somebody changed one of its files after it was written."""
        return any(output.was_changed for output in self.outputs)

    @property
    def made_digests(self) -> dict[str, str]:
        """SHA-256 of the files that Autochrome wrote, by name; {} if no run made them."""
        made = {one.name: one.made_sha256 or one.sha256 for one in self.outputs} if self.model_digest else {}
        return {left.name: left.sha256 for left in self.left} | made

    def outcome(self) -> Outcome:
        """Return the short form that other jobs use."""
        return Outcome(name=self.name, status=self.status, reason=self.reason, detail=self.detail, uri=self.uri)

    def to_fields(self, *, timed: bool = False) -> dict[str, Any]:
        """Return its fields as values of JSON; with ``timed`` including what differs between runs."""
        fields = asdict(self)
        if not timed:
            del fields["milliseconds"], fields["at"], fields["pending"]
            for output in fields["outputs"]:
                del output["fingerprint"]
        return fields

    def to_json(self, *, timed: bool = False) -> str:
        """Return one line without its line break; with ``timed`` including what differs between runs."""
        return json.dumps(self.to_fields(timed=timed), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Return the record of a line from `to_json`; ValueError, KeyError or TypeError for anything else."""
        return cls.from_fields(json.loads(line))

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """Return the record of fields from `to_fields`; ValueError, KeyError or TypeError for anything else."""
        outputs = tuple(_output(output) for output in fields["outputs"])
        left = tuple(Left(**left) for left in fields.get("left", ()))
        record = cls(**{**fields, "outputs": outputs, "left": left, "warnings": tuple(fields["warnings"])})
        names = [*(output.name for output in record.outputs), *(left.name for left in record.left)]
        if not all(map(safe_names.is_safe, names)):
            raise ValueError("the record names a file outside its folder")
        return record


def _output(fields: dict[str, Any]) -> Output:
    output = Output(**fields)
    if output.picture is None:
        return output
    left, top, right, bottom = map(int, output.picture)
    return replace(output, picture=(left, top, right, bottom))


def to_lines(texts: Iterable[str]) -> bytes:
    """Return UTF-8 lines; surrogates (of file names that are not UTF-8) become escapes, which JSON reads as such."""
    return "".join(f"{text}\n" for text in texts).encode(errors="backslashreplace")


def shard_count(records: int) -> int:
    """Return the number of shards of a manifest with ``records`` records."""
    return max(1, ceil(records / _RECORDS_PER_SHARD))


def shard_of(name: str, shards: int) -> int:
    """Return a shard by a hash of a name, so that it does not depend on the order of work."""
    return int.from_bytes(stable_hash(name)) % shards


def is_old_shard(name: str, written: Collection[str], *, rejected: bool = False) -> bool:
    """Return whether a path relative to the output is a shard that is not among those just written.

    Args:
        name: of a shard of records, of times or of rejected inputs; any other file is not a shard.
        written: paths of the shards of records.
        rejected: whether the rejected inputs were listed in shards.
    """
    folder, _, file = name.rpartition("/")
    found = _SHARD.match(file)
    if folder != FOLDER or found is None:
        return False
    if found["kind"] == "rejected" and not rejected:
        return True
    # Times and rejected inputs are JSON Lines next to records of either format.
    formats = (found["format"],) if found["kind"] == "photos" else FORMATS
    return not any(f"{FOLDER}/photos{found['part']}.{one}" in written for one in formats)


def is_rejected_shard(name: str) -> bool:
    """Return whether a file name is that of a shard of rejected inputs."""
    found = _SHARD.match(name)
    return found is not None and found["kind"] == "rejected"


def is_journal(name: str) -> bool:
    """Return whether a path relative to the output is a journal."""
    return _JOURNAL.match(name) is not None


def is_journal_of(name: str, run: str) -> bool:
    """Return whether a path relative to the output is a journal of the run with that id."""
    return is_journal(name) and name.startswith(f"{JOURNAL}/{run}-")


def format_of(name: str) -> str:
    """Return the format of a shard of records, one of FORMATS, from its name."""
    return PARQUET if name.endswith(f".{PARQUET}") else JSON_LINES


def has_records(name: str) -> bool:
    """Return whether a path relative to the output is a file of records: a shard or a journal."""
    folder, _, file = name.rpartition("/")
    found = _SHARD.match(file)
    return is_journal(name) or (folder == FOLDER and found is not None and found["kind"] == "photos")
