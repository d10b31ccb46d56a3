import numpy as np
from photo_files import file_of, said_of

from pipelines.images import gif, pages
from pipelines.images.encode import encode

PIXELS = np.zeros((16, 16), np.uint8)
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:creator><rdf:Seq><rdf:li>Grete Müller</rdf:li></rdf:Seq></dc:creator>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def with_xmp(packet: bytes) -> bytes:
    data = file_of(PIXELS, "GIF")
    end = data.rindex(b";")
    return data[:end] + b"\x21\xff\x0bXMP DataXMP" + packet + TRAILER + data[end:]


def test_the_packet_of_a_gif_is_carried():
    data = with_xmp(PACKET)
    assert gif.xmp(data) == PACKET
    (page,) = pages.read(data)
    made = encode([(np.zeros((16, 16, 3), np.uint8), page.metadata)], "PNG")
    assert said_of(made)["xmp"] == {"Xmp.dc.creator": ["Grete Müller"]}


def test_a_gif_without_a_packet_or_with_half_of_one():
    assert gif.xmp(file_of(PIXELS, "GIF")) == b""
    assert gif.xmp(with_xmp(PACKET)[:-400]) == b""
