"""Read what the XMP of a picture says about its making; `pipelines.images.xmp` writes it."""

from dataclasses import dataclass
from xml.dom import minidom

from pipelines.images import xmp_document
from pipelines.images.source_types import BY_MACHINE


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The statement of a picture about its making; '' is for what it does not say.

    Attributes:
        digital_source_type: URI of a term of IPTC's vocabulary.
        software: that coloured it.
        model: name of the model.
        model_digest: of that model.
        source: name of the source photo.
    """

    digital_source_type: str
    software: str = ""
    model: str = ""
    model_digest: str = ""
    source: str = ""


def read(packet: bytes) -> Statement | None:
    """Return the statement in an XMP packet that a machine made or changed the picture; None if there is none.

    Programs other than Autochrome make such statements too. A packet that cannot be parsed states nothing.
    """
    document = xmp_document.parse(packet)[0]
    if document is None:
        return None
    statement = Statement(
        digital_source_type=_text(document, "Iptc4xmpExt", "DigitalSourceType"),
        software=_text(document, "autochrome", "Software") or _text(document, "Iptc4xmpExt", "AISystemUsed"),
        model=_text(document, "autochrome", "Model"),
        model_digest=_text(document, "autochrome", "ModelDigest"),
        source=_text(document, "autochrome", "Source"),
    )
    return statement if statement.digital_source_type in BY_MACHINE or statement.model_digest else None


def _text(document: minidom.Document, prefix: str, name: str) -> str:
    space = xmp_document.SPACES[prefix]
    for element in document.getElementsByTagNameNS(space, name):
        return "".join(node.data for node in element.childNodes if node.nodeType == node.TEXT_NODE).strip()
    for element in document.getElementsByTagNameNS(xmp_document.RDF, "Description"):
        if element.hasAttributeNS(space, name):
            return element.getAttributeNS(space, name)
    return ""
