"""XMP packets as documents (ISO 16684-1): parsed within limits, changed, and written."""

from collections.abc import Iterable, Iterator
from typing import Any
from xml.dom import minidom
from xml.parsers import expat
from xml.parsers.expat import ExpatError

from pipelines.images.memory import out_of_memory
from pipelines.images.xmp_properties import Property

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMLNS = "http://www.w3.org/2000/xmlns/"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "autochrome": "urn:x-autochrome:photo/1.0/",
}
# A node takes 40 microseconds. Real packets have a few hundred, at most ten deep.
_MOST_NODES, _MOST_DEPTH = 50_000, 100
_EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>'
_LISTS = {"alt": "rdf:Alt", "seq": "rdf:Seq", "bag": "rdf:Bag"}
_WHITE = "\t\n\r"


def packet_of(document: minidom.Document) -> bytes:
    """Return a document as a packet in UTF-8."""
    assert document.documentElement is not None
    return (_BEGIN + document.documentElement.toxml() + _END).encode("utf-8", "replace")


def empty() -> minidom.Document:
    """Return a document without properties."""
    return minidom.parseString(_EMPTY)


def root_of(document: minidom.Document) -> minidom.Element:
    """Return the element that holds the descriptions."""
    root: minidom.Element = document.getElementsByTagNameNS(RDF, "RDF")[0]
    return root


def parse(packet: bytes) -> tuple[minidom.Document | None, str]:
    """Parse a packet.

    Returns:
        the document, None for an empty packet or one that cannot be used, and then a warning: ``xmp_broken`` if it is
        not XML or declares entities, ``xmp_dropped`` if it has more than 50,000 elements and attributes, or elements
        nested more than 100 deep.
    """
    packet = packet.strip(b"\0 \r\n\t")
    if not packet:
        return None, ""
    try:
        _check_size(packet)
        document = minidom.parseString(packet)
    except _TooLargeError:
        return None, "xmp_dropped"
    except (ExpatError, ValueError, LookupError, _EntitiesError) as error:
        if out_of_memory(error):
            raise
        return None, "xmp_broken"
    return (document, "") if document.getElementsByTagNameNS(RDF, "RDF") else (None, "xmp_broken")


class _TooLargeError(Exception):
    pass


class _EntitiesError(Exception):
    pass


def _check_size(packet: bytes) -> None:
    """Parse a packet without keeping it; raise _TooLargeError, _EntitiesError, ExpatError."""
    nodes = depth = 0

    def begin(_: str, attributes: list[str]) -> None:
        nonlocal nodes, depth
        nodes += 1 + len(attributes) // 2
        depth += 1
        if nodes > _MOST_NODES or depth > _MOST_DEPTH:
            raise _TooLargeError

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(*_: object) -> None:
        raise _EntitiesError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declare
    parser.ordered_attributes = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.Parse(packet, True)


def descriptions(root: minidom.Element) -> Iterator[minidom.Element]:
    """Yield the elements that hold properties."""
    for node in root.childNodes:
        if node.nodeType == node.ELEMENT_NODE and (node.namespaceURI, node.localName) == (RDF, "Description"):
            yield node


def take(description: minidom.Element, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Remove properties, written as attributes or elements; return their text by prefix and name."""
    wanted = {(SPACES[prefix], name): (prefix, name) for prefix, name in names}
    found = {}
    for space, name in wanted:
        if description.hasAttributeNS(space, name):
            found[wanted[space, name]] = description.getAttributeNS(space, name)
            description.removeAttributeNS(space, name)
    kept = []
    for child in description.childNodes:
        key = wanted.get((child.namespaceURI or "", child.localName)) if child.nodeType == child.ELEMENT_NODE else None
        if key is None:
            kept.append(child)
        elif isinstance(child, minidom.Element):
            found[key] = text_of(child)
    description.childNodes[:] = kept  # removeChild looks for each from the start
    return found


def keep_line_breaks(document: minidom.Document, description: minidom.Element) -> None:
    """Turn attributes with line breaks into elements: minidom would write the line breaks as spaces."""
    for attribute in list(description.attributes.values()):
        if attribute.namespaceURI not in (RDF, XMLNS, None) and set("\n\r\t") & set(attribute.value):
            child = document.createElementNS(attribute.namespaceURI, attribute.name)
            child.appendChild(document.createTextNode(attribute.value))
            description.removeAttributeNode(attribute)
            description.appendChild(child)


def texts_of(root: minidom.Element, name: str) -> list[str]:
    """Return the text of each value of a property, given by its usual prefix; [] if the packet does not have it."""
    prefix, _, local = name.partition(":")
    found = []
    for description in descriptions(root):
        if description.hasAttributeNS(SPACES[prefix], local):
            found.append(description.getAttributeNS(SPACES[prefix], local))
        for child in description.childNodes:
            if isinstance(child, minidom.Element) and (child.namespaceURI, child.localName) == (SPACES[prefix], local):
                values = child.getElementsByTagNameNS(RDF, "li") or [child]
                found += [text_of(value) for value in values]
    return found


def text_of(element: minidom.Element) -> str:
    """Return all text of an element, or the URI that it refers to."""
    if element.hasAttributeNS(RDF, "resource"):
        return element.getAttributeNS(RDF, "resource")
    parts: list[str] = []
    left: list[Any] = [element]
    while left:
        node = left.pop()
        if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE):
            parts.append(node.data)
        left += reversed(node.childNodes)
    return "".join(parts).strip()


def add(document: minidom.Document, properties: Iterable[Property]) -> None:
    """Add a description with properties, each given by its usual prefix."""
    root, properties = root_of(document), list(properties)
    about = next((told for one in descriptions(root) if (told := one.getAttributeNS(RDF, "about"))), "")
    description = document.createElementNS(RDF, "rdf:Description")
    description.setAttributeNS(XMLNS, "xmlns:rdf", RDF)
    description.setAttributeNS(RDF, "rdf:about", about)
    for prefix in sorted({one.name.partition(":")[0] for one in properties}):
        description.setAttributeNS(XMLNS, f"xmlns:{prefix}", SPACES[prefix])
    for one in properties:
        element = document.createElementNS(SPACES[one.name.partition(":")[0]], one.name)
        if one.form == "text":
            element.appendChild(document.createTextNode(_printable(one.values[0])))
        else:
            element.appendChild(_listed(document, one))
        description.appendChild(element)
    root.appendChild(description)


def _listed(document: minidom.Document, one: Property) -> minidom.Element:
    values = document.createElementNS(RDF, _LISTS[one.form])
    for value in one.values:
        item = document.createElementNS(RDF, "rdf:li")
        if one.form == "alt":
            item.setAttribute("xml:lang", "x-default")
        item.appendChild(document.createTextNode(_printable(value)))
        values.appendChild(item)
    return values


def _printable(text: str) -> str:
    """Replace control characters that XML cannot hold, and surrogates of names that are not UTF-8."""
    return "".join(
        c if (c >= " " or c in _WHITE) and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else "\ufffd"
        for c in text
    )
