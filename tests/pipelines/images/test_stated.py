import pytest

from pipelines.images import stated, xmp
from pipelines.images.source_types import COMPOSITE, IPTC_TERMS
from pipelines.images.stated import Statement
from pipelines.images.xmp import Mark

MARK = Mark(software="Autochrome 1", model_name="unet", model_digest="ab" * 32, source_name="box 1/a.tif")


def of_others(description: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{description}</rdf:RDF></x:xmpmeta>'
    ).encode()


def test_a_mark_is_read_as_it_was_written():
    packet, _ = xmp.merge(b"", MARK)
    assert stated.read(packet) == Statement(
        digital_source_type=COMPOSITE,
        software="Autochrome 1",
        model="unet",
        model_digest="ab" * 32,
        source="box 1/a.tif",
    )


@pytest.mark.parametrize("form", ["element", "attribute"])
def test_statements_of_other_programs_count(form):
    term = f"{IPTC_TERMS}trainedAlgorithmicMedia"
    name = "Iptc4xmpExt:DigitalSourceType"
    written = f"<rdf:Description><{name}>{term}</{name}></rdf:Description>"
    if form == "attribute":
        written = f'<rdf:Description {name}="{term}"/>'
    assert stated.read(of_others(written)) == Statement(digital_source_type=term)


@pytest.mark.parametrize("term", ["digitalCapture", "negativeFilm", ""])
def test_a_scan_says_nothing_of_a_machine(term):
    written = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{IPTC_TERMS}{term}"/>'
    assert stated.read(of_others(written)) is None


@pytest.mark.parametrize("packet", [b"", b"<", b"<a/>", b"\xff\xfe"])
def test_a_broken_packet_says_nothing(packet):
    assert stated.read(packet) is None
