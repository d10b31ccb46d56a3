"""XMP packets that are small and costly to parse."""

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)


def xmp_of_many(elements: int, element: str = "<a/>") -> bytes:
    """An XMP packet of many elements."""
    return XMP.format(element * elements).encode()


def xmp_of_depth(levels: int) -> bytes:
    """An XMP packet whose elements lie in each other."""
    return XMP.format("<a>" * levels + "</a>" * levels).encode()
