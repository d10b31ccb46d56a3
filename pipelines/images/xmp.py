"""Keep the XMP packet of a photo (ISO 16684-1), and mark the photo as colorized by a machine.

The mark follows the IPTC Photo Metadata Standard 2025.1: ``Iptc4xmpExt:DigitalSourceType`` with a term of IPTC's
vocabulary, and ``AISystemUsed`` and ``AISystemVersionUsed`` for model and digest. Properties in a namespace of this
project name the source photo and the software; so do ``dc:source`` and ``xmp:CreatorTool`` if the photo has none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from xml.dom import minidom

from pipelines.images import xmp_document
from pipelines.images.source_types import COMPOSITE
from pipelines.images.xmp_properties import Property

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
_MADE = tuple(("Iptc4xmpExt", name) for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"))
_OURS = tuple(("autochrome", name) for name in ("Software", "Model", "ModelDigest", "Source", "Guided", "GuidedBy"))
_NOTES = "autochrome:Notes"


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

    def without(self, kind: str) -> "Mark":
        """Return the mark of a picture that one kind of guidance did not reach."""
        return replace(self, guided={one: name for one, name in self.guided.items() if one != kind})


def merge(packet: bytes, mark: Mark | None, also: Iterable[Property] = ()) -> tuple[bytes, str]:
    """Make the packet of the colorized photo.

    Args:
        packet: of the source, or b"".
        mark: None leaves the mark out.
        also: what else the source says of the photo. Where the packet has another value, both stay.

    Returns:
        the packet in UTF-8, b"" if there is nothing to say; and a warning if the packet of the source was dropped, see
        `pipelines.images.xmp_document.parse`, else "".
    """
    document, warning = xmp_document.parse(packet)
    also = list(also)
    if document is None:
        if mark is None and not also:
            return b"", warning
        document = xmp_document.empty()
    for description in xmp_document.descriptions(xmp_document.root_of(document)):
        xmp_document.take(description, _OUTDATED)
        xmp_document.keep_line_breaks(document, description)
    _add(document, also)
    if mark is not None:
        _stamp(document, mark)
    return xmp_document.packet_of(document), warning


def _add(document: minidom.Document, also: Iterable[Property]) -> None:
    """Add what the packet does not say yet; as a note where it, or another addition, says something else."""
    root = xmp_document.root_of(document)
    added: dict[str, Property] = {}
    notes: list[str] = []
    for one in also:
        known = xmp_document.texts_of(root, one.name) if one.name else []
        if one.name in added:
            known = [*known, *added[one.name].values]
        missing = tuple(value for value in one.values if value not in known)
        if not one.name or (known and missing):
            notes += [f"{one.label}: {value}" for value in missing]
        elif missing:
            added[one.name] = replace(one, values=missing)
    known = xmp_document.texts_of(root, _NOTES)
    notes = [note for note in dict.fromkeys(notes) if note not in known]
    if notes:
        for description in xmp_document.descriptions(root):
            xmp_document.take(description, [("autochrome", "Notes")])
        added[_NOTES] = Property(name=_NOTES, values=(*known, *notes), form="bag")
    if added:
        xmp_document.add(document, added.values())


def _stamp(document: minidom.Document, mark: Mark) -> None:
    taken: dict[tuple[str, str], str] = {}
    for description in xmp_document.descriptions(xmp_document.root_of(document)):
        found = xmp_document.take(description, (_CREATOR, _ORIGIN, *_MADE, *_OURS))
        taken |= {key: value for key, value in found.items() if value}
    properties = {
        "xmp:CreatorTool": taken.get(_CREATOR) or mark.software,
        "dc:source": taken.get(_ORIGIN) or mark.source_name,
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
    if not taken.keys() & set(_OURS):
        # What another program said of how the photo was made stays, under a name of this project.
        properties |= {f"autochrome:Earlier{key[1]}": taken[key] for key in _MADE if key in taken}
    one_line = {name: re.sub(r"[\n\r\t]", "\ufffd", value) for name, value in properties.items()}
    xmp_document.add(document, (Property(name=name, values=(value,)) for name, value in one_line.items()))
