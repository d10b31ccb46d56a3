import lzma
from dataclasses import replace

import numpy as np
import pytest

from model.watermark_code import Payload
from pipelines.archive import chroma_file
from pipelines.archive.manifest import Output, Record
from pipelines.archive.render import RenderOptions
from pipelines.images.reading import Reading
from pipelines.images.xmp import Mark
from tfrecords.errors import UserError

OUTPUT = Output(name="a.jpg", page=1, width=1, height=1, bytes=1, sha256="cd", tone="grayscale", colourfulness=1.0)
RECORD = Record(
    name="a.jpg", uri="/scans/a.jpg", offset=None, fingerprint="1", status="written", bytes=4, sha256="ab",
    outputs=(OUTPUT,), model_digest="ef",
)  # fmt: skip
OPTIONS = RenderOptions(
    size=32,
    mark=Mark(software="s", model_name="m", model_digest="ef", source_name="a.jpg", guided={"hints": "h.png"}),
    hints=b"\0\xff",
    reading=Reading(pages="all"),
    watermark=Payload("c0ffee", "0a1b2c"),
)


def chroma(shape: tuple[int, int], strength: float) -> np.ndarray:
    return chroma_file.rounded(np.random.default_rng(1).normal(0, strength, (*shape, 2)).astype(np.float32))


@pytest.mark.parametrize("strength", [0, 30, 3000])
def test_what_is_packed_is_unpacked(strength):
    pages = [chroma((40, 31), strength), chroma((1, 1), strength)]
    found = chroma_file.unpack(chroma_file.pack(RECORD, OPTIONS, pages))
    assert found.options == OPTIONS
    assert found.outputs == {"a.jpg": "cd"}
    assert found.source == {"name": "a.jpg", "uri": "/scans/a.jpg", "offset": None, "bytes": 4, "sha256": "ab"}
    for one, other in zip(found.chroma, pages, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)


def test_rounding_is_finer_than_anybody_sees_and_done_once():
    exact = np.random.default_rng(2).normal(0, 30, (20, 20, 2)).astype(np.float32)
    once = chroma_file.rounded(exact)
    assert np.abs(once - exact).max() <= 1 / 16
    np.testing.assert_array_equal(chroma_file.rounded(once), once)


def test_soft_colours_take_little_room():
    y, x = np.mgrid[:256, :256] / np.float32(256)
    soft = np.dstack([20 * np.sin(5 * x + y), 20 * np.cos(4 * y * x)]).astype(np.float32)
    assert len(chroma_file.pack(RECORD, OPTIONS, [chroma_file.rounded(soft)])) < 20_000


WHOLE = chroma_file.pack(RECORD, OPTIONS, [chroma((8, 8), 30)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        WHOLE[:-9],
        WHOLE[:60],
        WHOLE.replace(b"chroma 1", b"chroma 9"),
        WHOLE.replace(b'"shapes": [[8, 8]]', b'"shapes": [[9, 9]]'),
        WHOLE.replace(b'"shapes": [[8, 8]]', b'"shapes": [[90000, 90000]]'),
        WHOLE.replace(b'"quality"', b'"clarity"'),
        WHOLE[: WHOLE.index(b"\xfd7zXZ")] + lzma.compress(b"\0" * 10_000_000),
        chroma_file.pack(replace(RECORD, outputs=(replace(OUTPUT, name="../a.jpg"),)), OPTIONS, [chroma((2, 2), 1)]),
        WHOLE + b"\0",
        WHOLE + WHOLE,
        WHOLE.replace(b'[["a.jpg", "cd"]]', b"[]"),
        WHOLE.replace(b'[["a.jpg", "cd"]]', b'[["a.jpg", "cd"], ["a.jpg", "ef"]]'),
        WHOLE.replace(b'"bytes": 4', b'"bytes": null'),
        WHOLE.replace(b'"bytes": 4', b'"bytes": -4'),
        WHOLE.replace(b'"offset": null', b'"offset": "4"'),
        WHOLE.replace(b'"uri": "/scans/a.jpg"', b'"uri": 7'),
        WHOLE.replace(b'"name": "a.jpg"', b'"name": "../a.jpg"'),
        WHOLE.replace(b'"name": "a.jpg"', b'"name": ["a.jpg"]'),
        b"autochrome chroma 1\n" + b"[" * 100_000 + b"\n",
    ],
)
def test_a_damaged_or_foreign_file_is_refused(data):
    with pytest.raises(UserError):
        chroma_file.unpack(data)


def test_a_sidecar_with_more_bytes_than_it_needs_is_refused_in_plain_words():
    with pytest.raises(UserError, match="there are other bytes after its end"):
        chroma_file.unpack(WHOLE + b"signed by somebody")
