"""Keep the XMP packet of a photo (ISO 16684-1), and mark the photo as colorized by a machine.

The mark follows the IPTC Photo Metadata Standard 2025.1: ``Iptc4xmpExt:DigitalSourceType`` with a term of IPTC's
vocabulary, and ``AISystemUsed`` and ``AISystemVersionUsed`` for model and digest. Properties in a namespace of this
project name the source photo and the software; so do ``dc:source`` and ``xmp:CreatorTool`` if the photo has none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.dom import minidom
from xml.parsers import expat
from xml.parsers.expat import ExpatError

from pipelines.images.memory import out_of_memory
from pipelines.images.source_types import COMPOSITE

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "autochrome": "urn:x-autochrome:photo/1.0/",
}
# Properties of the pixels as they were stored, no longer true of the result; readers take them from the file itself.
_OUTDATED = (
    *(("tiff", name) for name in ("ImageWidth", "ImageLength", "BitsPerSample", "SamplesPerPixel", "Compression")),
    *(("tiff", name) for name in ("PhotometricInterpretation", "PlanarConfiguration", "YCbCrSubSampling")),
    *(("tiff", name) for name in ("YCbCrPositioning", "YCbCrCoefficients", "ReferenceBlackWhite", "TransferFunction")),
    *(("tiff", name) for name in ("WhitePoint", "PrimaryChromaticities", "Orientation")),
    *(("exif", name) for name in ("PixelXDimension", "PixelYDimension", "ColorSpace", "Gamma")),
    ("photoshop", "ColorMode"),
    ("photoshop", "ICCProfile"),
    ("dc", "format"),
    ("xmp", "Thumbnails"),
    ("xmpNote", "HasExtendedXMP"),
)
_CREATOR, _ORIGIN = ("xmp", "CreatorTool"), ("dc", "source")
_STAMPED = (
    *(_CREATOR, _ORIGIN),
    *(("Iptc4xmpExt", name) for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")),
    *(("autochrome", name) for name in ("Software", "Model", "ModelDigest", "Source", "Guided", "GuidedBy")),
)
# A node takes 40 microseconds. Real packets have a few hundred, at most ten deep.
_MOST_NODES, _MOST_DEPTH = 50_000, 100
_EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta>'
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>'


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The statement in a colorized photo about how it was made.

    Attributes:
        software: name and version of this program.
        model_name: of the model that predicted the chroma.
        model_digest: of that model.
        source_name: of the source photo, relative to the input.
        digital_source_type: a term of IPTC's vocabulary, as URI.
        guided: what guided the colours besides the model, such as ``hints``, and the name of its file.
    """

    software: str
    model_name: str
    model_digest: str
    source_name: str
    digital_source_type: str = COMPOSITE
    guided: Mapping[str, str] = field(default_factory=dict)


def merge(packet: bytes, mark: Mark | None) -> tuple[bytes, str]:
    """Make the packet of the colorized photo.

    Args:
        packet: of the source, or b"".
        mark: None leaves the mark out.

    Returns:
        the packet in UTF-8, b"" if there is nothing to say; and a warning if the packet of the source was dropped, else
        "": ``xmp_broken`` if it is not XML or declares entities, ``xmp_dropped`` if it has more than 50,000 elements
        and attributes, or elements nested more than 100 deep.
    """
    document, warning = _parse(packet.strip(b"\0 \r\n\t"))
    if document is None:
        if mark is None:
            return b"", warning
        document = minidom.parseString(_EMPTY)
    root = document.getElementsByTagNameNS(_RDF, "RDF")[0]
    for description in _descriptions(root):
        _take(description, _OUTDATED)
        _keep_line_breaks(document, description)
    if mark is not None:
        _stamp(document, root, mark)
    assert document.documentElement is not None
    body = document.documentElement.toxml()
    return (_BEGIN + body + _END).encode("utf-8", "replace"), warning


def _parse(packet: bytes) -> tuple[minidom.Document | None, str]:
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
    return (document, "") if document.getElementsByTagNameNS(_RDF, "RDF") else (None, "xmp_broken")


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


def _descriptions(root: minidom.Element) -> Iterator[minidom.Element]:
    for node in root.childNodes:
        if node.nodeType == node.ELEMENT_NODE and (node.namespaceURI, node.localName) == (_RDF, "Description"):
            yield node


def _take(description: minidom.Element, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Remove properties, written as attributes or elements; return their text by prefix and name."""
    wanted = {(_SPACES[prefix], name): (prefix, name) for prefix, name in names}
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
        else:
            found[key] = "".join(node.data for node in child.childNodes if node.nodeType == node.TEXT_NODE)
    description.childNodes[:] = kept  # removeChild looks for each from the start
    return found


def _keep_line_breaks(document: minidom.Document, description: minidom.Element) -> None:
    """Turn attributes with line breaks into elements: minidom would write the line breaks as spaces."""
    for attribute in list(description.attributes.values()):
        if attribute.namespaceURI not in (_RDF, _XMLNS, None) and set("\n\r\t") & set(attribute.value):
            child = document.createElementNS(attribute.namespaceURI, attribute.name)
            child.appendChild(document.createTextNode(attribute.value))
            description.removeAttributeNode(attribute)
            description.appendChild(child)


def _stamp(document: minidom.Document, root: minidom.Element, mark: Mark) -> None:
    about, creator, origin = "", "", ""
    for description in _descriptions(root):
        about = description.getAttributeNS(_RDF, "about") or about
        taken = _take(description, _STAMPED)
        creator = taken.get(_CREATOR, "") or creator
        origin = taken.get(_ORIGIN, "") or origin
    properties = {
        "xmp:CreatorTool": creator or mark.software,
        "dc:source": origin or mark.source_name,
        "Iptc4xmpExt:DigitalSourceType": mark.digital_source_type,
        "Iptc4xmpExt:AISystemUsed": f"{mark.software}, model {mark.model_name}",
        "Iptc4xmpExt:AISystemVersionUsed": mark.model_digest,
        "autochrome:Software": mark.software,
        "autochrome:Model": mark.model_name,
        "autochrome:ModelDigest": mark.model_digest,
        "autochrome:Source": mark.source_name,
    }
    if mark.guided:
        properties["autochrome:Guided"] = ", ".join(sorted(mark.guided))
        properties["autochrome:GuidedBy"] = ", ".join(name for _, name in sorted(mark.guided.items()))
    description = document.createElementNS(_RDF, "rdf:Description")
    description.setAttributeNS(_XMLNS, "xmlns:rdf", _RDF)
    description.setAttributeNS(_RDF, "rdf:about", about)
    for prefix in sorted({name.partition(":")[0] for name in properties}):
        description.setAttributeNS(_XMLNS, f"xmlns:{prefix}", _SPACES[prefix])
    for name, value in properties.items():
        element = document.createElementNS(_SPACES[name.partition(":")[0]], name)
        element.appendChild(document.createTextNode(_printable(value)))
        description.appendChild(element)
    root.appendChild(description)


def _printable(text: str) -> str:
    """Replace control characters that XML cannot hold, and surrogates of names that are not UTF-8."""
    return "".join(
        c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else "\ufffd" for c in text
    )
