"""The extension of an XMP packet, for JPEGs whose packet is too long for one segment (XMP part 3, section 1.1.3.1).

The packet names the digest of its extension. The extension is a packet of its own, whose properties belong to the same
photo; readers put both together.
"""

import re
from xml.dom import minidom

from pipelines.images import jpeg_segments, xmp_document
from pipelines.images.xmp_document import RDF, SPACES, XMLNS

_NAMED = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")
_REFERENCE = 200
"""Bytes that the reference to an extension takes."""
_LONG_ATTRIBUTE = 1_000


def joined(packet: bytes, segments: jpeg_segments.Segments) -> tuple[bytes, str]:
    """Return a packet with the properties of its extension, and ``xmp_dropped`` if that cannot be used, else ''.

    Args:
        packet: of a JPEG.
        segments: of the JPEG.
    """
    named = _NAMED.search(packet)
    if named is None:
        return packet, ""
    document, _ = xmp_document.parse(packet)
    extended, _ = xmp_document.parse(jpeg_segments.extension(segments, named[1]))
    if document is None or extended is None:
        return packet, "xmp_dropped"
    root = xmp_document.root_of(document)
    for description in list(xmp_document.descriptions(xmp_document.root_of(extended))):
        _declare(description)
        root.appendChild(document.importNode(description, deep=True))
    return xmp_document.packet_of(document), ""


def split(packet: bytes, most: int) -> tuple[bytes, bytes]:
    """Move the longest properties of a packet into an extension.

    Args:
        packet: a valid one.
        most: bytes of the packet that is left.

    Returns:
        the packet, perhaps still too long, and its extension; b"" if none is needed.
    """
    document, _ = xmp_document.parse(packet)
    if len(packet) <= most or document is None:
        return packet, b""
    extension = xmp_document.empty()
    places = []
    for description in xmp_document.descriptions(xmp_document.root_of(document)):
        _make_elements(document, description)
        elements = [node for node in description.childNodes if node.nodeType == node.ELEMENT_NODE]
        places += [(len(node.toxml().encode("utf-8", "replace")), description, node) for node in elements]
    excess = len(packet) + _REFERENCE - most
    moved: dict[minidom.Element, minidom.Element] = {}
    for size, description, node in sorted(places, key=lambda place: -place[0]):
        if excess <= 0:
            break
        excess -= size
        if description not in moved:
            _declare(description)
            moved[description] = extension.importNode(description, deep=False)
            xmp_document.root_of(extension).appendChild(moved[description])
            for name in _properties(description):
                moved[description].removeAttribute(name)
        moved[description].appendChild(extension.importNode(node, deep=True))
        description.removeChild(node)
    assert extension.documentElement is not None
    extended = extension.documentElement.toxml().encode("utf-8", "replace")
    first = next(xmp_document.descriptions(xmp_document.root_of(document)))
    first.setAttributeNS(XMLNS, "xmlns:xmpNote", SPACES["xmpNote"])
    first.setAttributeNS(SPACES["xmpNote"], "xmpNote:HasExtendedXMP", jpeg_segments.guid_of(extended))
    return xmp_document.packet_of(document), extended


def _properties(description: minidom.Element) -> list[str]:
    """Return the names of the attributes that are properties."""
    attributes = description.attributes.values()
    return [one.name for one in attributes if one.namespaceURI not in (RDF, XMLNS, None)]


def _make_elements(document: minidom.Document, description: minidom.Element) -> None:
    """Turn long attributes into elements, which can be moved."""
    for attribute in list(description.attributes.values()):
        if attribute.namespaceURI not in (RDF, XMLNS, None) and len(attribute.value) > _LONG_ATTRIBUTE:
            child = document.createElementNS(attribute.namespaceURI, attribute.name)
            child.appendChild(document.createTextNode(attribute.value))
            description.removeAttributeNode(attribute)
            description.appendChild(child)


def _declare(description: minidom.Element) -> None:
    """Give a description the prefixes that the elements around it declare, so that it can be moved."""
    node = description.parentNode
    while node is not None and node.nodeType == node.ELEMENT_NODE:
        for attribute in list(node.attributes.values()):
            if attribute.namespaceURI == XMLNS and not description.hasAttribute(attribute.name):
                description.setAttributeNS(XMLNS, attribute.name, attribute.value)
        node = node.parentNode
