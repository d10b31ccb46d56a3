import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import file_of, said_of
from PIL import Image

from pipelines.images.source_types import COMPOSITE
from pipelines.images.xmp import Mark, merge

MARK = Mark(software="autochrome 1.2.3", model_name="unet", model_digest="sha256:abc", source_name="scan.jpg")
BEGIN = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
END = "</rdf:RDF></x:xmpmeta>"


def read(packet: bytes) -> dict[str, object]:
    """As Exiv2 reads it."""
    return said_of(file_of(Image.new("RGB", (8, 8)), "JPEG", xmp=packet))["xmp"]


def test_properties_that_are_not_ours_stay_byte_for_byte():
    inner = (
        '<rdf:Description xmlns:my="http://my.example/" xmlns:dc="http://purl.org/dc/elements/1.1/" rdf:about="uuid:1"'
        ' my:shelf="&lt;7&gt; &quot;b&quot;"><dc:subject><rdf:Bag><rdf:li>Schnee ü</rdf:li></rdf:Bag></dc:subject>'
        '<my:box rdf:parseType="Resource"><my:row>3</my:row></my:box></rdf:Description>'
    )
    packet, warning = merge((BEGIN + inner + END).encode(), MARK)
    assert not warning
    assert inner in packet.decode()
    assert read(packet)["Xmp.dc.subject"] == ["Schnee ü"]
    assert read(packet)["Xmp.iptcExt.DigitalSourceType"] == COMPOSITE
    assert packet.count(b'rdf:about="uuid:1"') == 2


def test_a_source_type_of_the_source_gives_way_and_is_kept_as_the_earlier_one():
    space = 'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    for inner in (
        f'<rdf:Description rdf:about="" {space} e:DigitalSourceType="http://old"/>',
        f'<rdf:Description rdf:about="" {space}><e:DigitalSourceType>http://old</e:DigitalSourceType></rdf:Description>',
        f'<rdf:Description rdf:about="" {space}><e:DigitalSourceType rdf:resource="http://old"/></rdf:Description>',
    ):
        packet, _ = merge((BEGIN + inner + END).encode(), MARK)
        for told in (read(packet), read(merge(packet, MARK)[0])):
            assert told["Xmp.iptcExt.DigitalSourceType"] == COMPOSITE
            assert told["Xmp.autochrome.EarlierDigitalSourceType"] == "http://old"


def test_another_source_type_can_be_chosen():
    packet, _ = merge(
        b"",
        Mark(
            software="autochrome",
            model_name="m",
            model_digest="d",
            source_name="s",
            digital_source_type="http://cv.iptc.org/x",
        ),
    )
    assert read(packet)["Xmp.iptcExt.DigitalSourceType"] == "http://cv.iptc.org/x"


def test_colorizing_twice_marks_once():
    once, _ = merge(b"", MARK)
    twice, _ = merge(
        once,
        Mark(software="autochrome 2", model_name="better", model_digest="sha256:def", source_name="colour/scan.jpg"),
    )
    said = read(twice)
    assert twice.count(b"DigitalSourceType>") == 2
    assert said["Xmp.autochrome.Model"] == "better"
    assert said["Xmp.dc.source"] == "scan.jpg"
    assert merge(once, MARK)[0].count(b"<rdf:Description") == 2


def test_what_is_no_longer_true_goes():
    space = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    inner = f'<rdf:Description rdf:about="" {space} tiff:Orientation="6" tiff:Make="Box" photoshop:ColorMode="1"/>'
    assert read(merge((BEGIN + inner + END).encode(), None)[0]) == {"Xmp.tiff.Make": "Box"}


def test_line_breaks_in_attributes_survive():
    inner = '<rdf:Description rdf:about="" xmlns:my="http://my.example/" my:note="one&#xA;two"/>'
    packet, _ = merge((BEGIN + inner + END).encode(), MARK)
    tree = ElementTree.parse(io.BytesIO(packet))
    assert tree.find(".//{http://my.example/}note").text == "one\ntwo"


@pytest.mark.parametrize(
    "packet",
    [
        b"no xml",
        b"<a/>",
        BEGIN.encode(),
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]>' + (BEGIN + "&b;" + END).encode(),
        b"\xff\xfe<",
        ('<!DOCTYPE a [<!ENTITY b "bbbb">]>' + BEGIN + "&b;" + END).encode("utf-16"),
    ],
)
def test_a_broken_packet_counts_as_none(packet):
    merged, warning = merge(packet, MARK)
    assert warning == "xmp_broken"
    assert merged == merge(b"", MARK)[0]
    assert merge(packet, None) == (b"", "xmp_broken")


def test_no_packet_is_nothing_broken():
    assert merge(b"", None) == (b"", "")
    assert merge(b"\0 \n", None) == (b"", "")


def description_of(content: str) -> bytes:
    return (BEGIN + f'<rdf:Description rdf:about="">{content}</rdf:Description>' + END).encode()


@pytest.mark.parametrize(
    "content",
    ["<a/>" * 200_000, '<a b=""/>' * 30_000, "<a>" * 2000 + "</a>" * 2000],
    ids=["elements", "attributes", "depth"],
)
def test_a_packet_that_is_too_large_is_dropped(content):
    merged, warning = merge(description_of(content), MARK)
    assert warning == "xmp_dropped"
    assert merged == merge(b"", MARK)[0]


def test_a_packet_of_some_size_is_kept():
    content = "<a>" * 90 + "deep" + "</a>" * 90 + "<a/>" * 5000
    merged, warning = merge(description_of(content), MARK)
    assert not warning
    assert content.encode() in merged


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_merge(garbage, inside):
    packet = BEGIN.encode() + garbage + END.encode() if inside else garbage
    merged, _ = merge(packet, MARK)
    ElementTree.parse(io.BytesIO(merged))
