from pipelines.images import xmp_document
from pipelines.images.xmp_properties import Property


def test_what_is_added_is_found_in_each_form():
    document = xmp_document.empty()
    assert xmp_document.texts_of(xmp_document.root_of(document), "dc:title") == []
    added = [
        Property(name="dc:title", values=("Straße\nim Schnee",), form="alt"),
        Property(name="dc:creator", values=("Grete", "Hans"), form="seq"),
        Property(name="xmp:Label", values=("a & b <c>",)),
    ]
    xmp_document.add(document, added)
    again, warning = xmp_document.parse(xmp_document.packet_of(document))
    assert warning == ""
    for one in added:
        assert tuple(xmp_document.texts_of(xmp_document.root_of(again), one.name)) == one.values


def test_characters_that_xml_cannot_hold_are_replaced():
    document = xmp_document.empty()
    xmp_document.add(document, [Property(name="xmp:Label", values=("a\x07b\0c\udcff",))])
    again, _ = xmp_document.parse(xmp_document.packet_of(document))
    assert xmp_document.texts_of(xmp_document.root_of(again), "xmp:Label") == ["a\ufffdb\ufffdc\ufffd"]
