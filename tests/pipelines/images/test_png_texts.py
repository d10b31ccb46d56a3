import zlib

import numpy as np
from bombs import chunk, text_chunk
from photo_files import file_of, opened, said_of, saying
from PIL import PngImagePlugin

from pipelines.images import pages, png_texts
from pipelines.images.encode import encode
from pipelines.images.png_texts import Text

PIXELS = np.zeros((16, 16, 3), np.uint8)


def with_chunks(*chunks: bytes) -> bytes:
    data = file_of(PIXELS, "PNG")
    return data[:-12] + b"".join(chunks) + data[-12:]


def test_all_kinds_of_chunks_and_all_languages_are_read_and_written_again():
    data = with_chunks(
        chunk(b"tEXt", b"Title\0Stra\xdfe"),
        chunk(b"zTXt", b"Author\0\0" + zlib.compress(b"M\xfcller")),
        chunk(b"iTXt", "Title\0\0\0de\0Überschrift\0Straße im Schnee".encode()),
        chunk(b"iTXt", b"Title\0\1\0en\0\0" + zlib.compress(b"Road in snow")),
    )
    texts = [
        Text(keyword="Title", text="Straße"),
        Text(keyword="Author", text="Müller"),
        Text(keyword="Title", text="Straße im Schnee", language="de", translated="Überschrift"),
        Text(keyword="Title", text="Road in snow", language="en"),
    ]
    assert png_texts.read(data) == (texts, True)
    (page,) = pages.read(data)
    assert png_texts.read(encode([(PIXELS, page.metadata)], "PNG")) == (texts, True)


def test_texts_that_cannot_be_read_are_told():
    broken = chunk(b"zTXt", b"Author\0\0no zlib")
    assert png_texts.read(with_chunks(broken)) == ([], False)
    (page,) = pages.read(with_chunks(broken))
    assert page.metadata.warnings == ("text_dropped",)
    assert png_texts.read(with_chunks(text_chunk(b"Author", b"x" * 5_000_000, compressed=False) * 2))[1] is False


def test_chunks_that_nothing_reads_are_named():
    (page,) = pages.read(with_chunks(chunk(b"caBX", b"x"), chunk(b"vpAg", b"x"), chunk(b"sCAL", b"x")))
    assert page.metadata.warnings == ("segments_dropped", "left out: caBX, sCAL")


def test_a_profile_in_hexadecimal_is_read_in_any_case_of_its_name():
    exif = opened(saying(file_of(PIXELS, "PNG"), exif={"Exif.Image.Artist": "Grete"})).info["exif"]
    for name, content in (("Raw profile type APP1", exif), ("raw profile type exif", exif)):
        info = PngImagePlugin.PngInfo()
        info.add_text(name, f"\nexif\n{len(content):8d}\n{content.hex()}\n")
        (page,) = pages.read(file_of(PIXELS, "PNG", pnginfo=info))
        assert said_of(encode([(PIXELS, page.metadata)], "JPEG"))["exif"]["Exif.Image.Artist"] == "Grete"
        assert page.metadata.texts == ()


def test_the_time_of_change_is_carried():
    data = with_chunks(chunk(b"tIME", bytes([7, 119, 5, 1, 10, 0, 0])))
    (page,) = pages.read(data)
    assert png_texts.changed_at(encode([(PIXELS, page.metadata)], "PNG")) == bytes([7, 119, 5, 1, 10, 0, 0])
    found = said_of(encode([(PIXELS, page.metadata)], "JPEG"))["xmp"]
    assert found == {"Xmp.xmp.ModifyDate": "1911-05-01T10:00:00Z"}
