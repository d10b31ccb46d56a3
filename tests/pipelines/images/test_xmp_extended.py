import pytest

from pipelines.images import jpeg_segments, xmp_document, xmp_extended

SPACES = 'xmlns:a="http://a.example/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
PACKET = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/" {SPACES}><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    f'<rdf:Description rdf:about="uuid:1" a:long="{"l" * 5_000}" a:short="s"><dc:source>{"x" * 9_000}</dc:source>'
    "<dc:subject><rdf:Bag><rdf:li>Schnee ü</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()


@pytest.mark.parametrize(("most", "moved"), [(10_000, ["x"]), (3_000, ["x", "l"])])
def test_the_longest_properties_move_and_come_back(most, moved):
    packet, extension = xmp_extended.split(PACKET, most)
    assert len(packet) <= most
    assert "Schnee ü".encode() in packet
    assert [letter for letter in "xl" if letter.encode() * 5_000 in extension] == moved
    segments = [("APP1", content) for content in jpeg_segments.extension_segments(extension)]
    joined, warning = xmp_extended.joined(packet, segments)
    assert warning == ""
    document, _ = xmp_document.parse(joined)
    root = xmp_document.root_of(document)
    assert xmp_document.texts_of(root, "dc:source") == ["x" * 9_000]
    assert xmp_document.texts_of(root, "dc:subject") == ["Schnee ü"]
    assert b"l" * 5_000 in joined


def test_a_packet_that_fits_stays_as_it_is():
    assert xmp_extended.split(PACKET, 20_000) == (PACKET, b"")
    assert xmp_extended.joined(PACKET, []) == (PACKET, "")


def test_a_packet_whose_every_part_is_too_long_stays_too_long():
    packet, _ = xmp_extended.split(PACKET, 100)
    assert len(packet) > 100
