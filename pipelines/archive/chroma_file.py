"""A sidecar with the chroma of one photo: source and sidecar together give the colour file again, byte for byte.

    autochrome chroma 1↵
    {"name": …, "uri": …, "offset": …, "bytes": …, "sha256": …,     the source
     "outputs": [[name, SHA-256], …],                               the files that it was made into, before signing
     "options": {…},                                                `pipelines.archive.render_options.RenderOptions`
     "shapes": [[h, w], …]}↵                                        of the chroma of each page
    chroma in eighths of a Lab unit: 16 bits, as differences to the left and to above, low bytes and then high ones, xz

A run with sidecars rounds chroma to eighths before it is joined with luminance, which nobody can see, so that a sidecar
takes a twentieth of what floats take.
"""

import base64
import hashlib
import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.watermark_code import Payload
from pipelines.archive.manifest import Output, Record
from pipelines.archive.render_options import RenderOptions
from pipelines.archive.written_names import CHROMA_ENDING
from pipelines.files import safe_names
from pipelines.images.reading import Reading
from pipelines.images.xmp import Mark
from tfrecords.color import Floats
from tfrecords.errors import UserError

ENDING = CHROMA_ENDING
ONLY = "only"
"""In place of a folder of sidecars: they are written in place of pictures."""
_START = b"autochrome chroma 1\n"
_STEPS = np.float32(8)
_MOST = 1 << 26  # values of all pages


@dataclass(frozen=True, kw_only=True)
class ChromaFile:
    """The content of a sidecar.

    Attributes:
        source: ``name``, ``uri``, ``offset``, ``bytes`` and ``sha256`` of the source, as in its record.
        outputs: SHA-256 of each colour file, by path relative to the output.
        options: how it was rendered.
        chroma: of each page, float32 ``[h, w, 2]``.
    """

    source: Mapping[str, Any]
    outputs: Mapping[str, str]
    options: RenderOptions
    chroma: tuple[Floats, ...]


def rounded(chroma: Floats) -> Floats:
    """Return chroma as a sidecar keeps it."""
    return _steps(chroma).astype(np.float32) / _STEPS


def pack(record: Record, options: RenderOptions, chroma: Sequence[Floats]) -> bytes:
    """Return the bytes of a sidecar.

    Args:
        record: of the photo, with its outputs.
        options: how it was rendered.
        chroma: of each page, `rounded`.
    """
    header = {
        "name": record.name,
        "uri": record.uri,
        "offset": record.offset,
        "bytes": record.bytes,
        "sha256": record.sha256,
        "outputs": [[one.name, one.unsigned_sha256 or one.sha256] for one in _files(record)],
        "options": asdict(replace(options, claim=None)) | {"hints": base64.b64encode(options.hints).decode()},
        "shapes": [list(plane.shape[:2]) for plane in chroma],
    }
    values = b"".join(_differences(_steps(plane)) for plane in chroma)
    return _START + json.dumps(header).encode() + b"\n" + lzma.compress(values, preset=6)


def _files(record: Record) -> Iterable[Output]:
    return {output.name: output for output in record.outputs}.values()


def in_place(record: Record, name: str, sidecar: bytes) -> Record:
    """Return the record of a photo whose sidecar is written under a name in place of its pictures."""
    digest = hashlib.sha256(sidecar).hexdigest()
    outputs = (replace(one, name=name, bytes=len(sidecar), sha256=digest) for one in record.outputs)
    return replace(record, outputs=tuple(outputs))


def unpack(data: bytes) -> ChromaFile:
    """Read a sidecar.

    Raises:
        UserError: it is not one, is damaged, or was made by another version.
    """
    if not data.startswith(_START):
        raise UserError("it is not a chroma file of this version")
    try:
        line, _, packed = data[len(_START) :].partition(b"\n")
        header = json.loads(line)
        shapes = [(int(height), int(width)) for height, width in header["shapes"]]
        number = sum(2 * height * width for height, width in shapes)
        if not shapes or number > _MOST or min(map(min, shapes)) < 1:
            raise ValueError("sizes are out of range")
        xz = lzma.LZMADecompressor(memlimit=1 << 28)
        values = xz.decompress(packed, 2 * number + 1)
        if len(values) != 2 * number or not xz.eof:
            raise ValueError("it is cut short, or has other sizes than it says")
        if xz.unused_data:
            raise ValueError("there are other bytes after its end")
        source, outputs = _source(header), _outputs(header["outputs"])
        chroma = tuple(_planes(values, shapes))
        return ChromaFile(source=source, outputs=outputs, options=_options(header["options"]), chroma=chroma)
    except (ValueError, LookupError, TypeError, EOFError, RecursionError, lzma.LZMAError) as error:
        raise UserError(f"it is damaged, or was made by another version: {error}") from error


def _source(header: dict[str, Any]) -> dict[str, Any]:
    source = {name: header[name] for name in ("name", "uri", "offset", "bytes", "sha256")}
    numbers = [source["bytes"], 0 if source["offset"] is None else source["offset"]]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("the size of its scan is not a number")
    if not all(isinstance(source[name], str) for name in ("name", "uri", "sha256")):
        raise ValueError("it does not name its scan")
    if not safe_names.is_safe(source["name"]):
        raise ValueError(f"its scan is outside the folder: {source['name']}")
    return source


def _outputs(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    outputs = {str(name): str(sha256) for name, sha256 in pairs}
    if not outputs or len(outputs) != len(pairs):
        raise ValueError("it names no colour file, or one twice")
    if not all(map(safe_names.is_safe, outputs)):
        raise ValueError("it names files outside its folder")
    return outputs


def _options(fields: dict[str, Any]) -> RenderOptions:
    watermark = fields["watermark"]
    made = {
        "mark": Mark(**fields["mark"]),
        "reading": Reading(**fields["reading"]),
        "watermark": None if watermark is None else Payload(**watermark),
        "hints": base64.b64decode(fields["hints"]),
    }
    return RenderOptions(**fields | made)


def _steps(chroma: Floats) -> NDArray[np.int16]:
    steps: NDArray[np.int16] = np.clip(np.rint(chroma * _STEPS), -32768, 32767).astype(np.int16)
    return steps


def _differences(steps: NDArray[np.int16]) -> bytes:
    rows = np.diff(steps, axis=0, prepend=np.int16(0))
    both = np.diff(rows, axis=1, prepend=np.int16(0))
    # Small numbers of either sign get zeros as their high bytes.
    folded = ((both << 1) ^ (both >> 15)).astype("<u2")
    return np.ascontiguousarray(folded.transpose(2, 0, 1)).view(np.uint8).reshape(-1, 2).T.tobytes()


def _planes(values: bytes, shapes: Iterable[tuple[int, int]]) -> Iterable[Floats]:
    start = 0
    for height, width in shapes:
        number = 2 * height * width
        part = np.frombuffer(values, np.uint8, 2 * number, start).reshape(2, number)
        start += 2 * number
        folded = np.ascontiguousarray(part.T).view("<u2").reshape(2, height, width).astype(np.uint16)
        both = (folded >> 1).astype(np.int16) ^ -(folded & 1).astype(np.int16)
        steps = both.cumsum(axis=2, dtype=np.int16).cumsum(axis=1, dtype=np.int16)
        yield np.ascontiguousarray(steps.transpose(1, 2, 0)).astype(np.float32) / _STEPS
