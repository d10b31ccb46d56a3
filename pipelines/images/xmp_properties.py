"""What IPTC records, texts of PNG files, comments and Photoshop's resources say, as properties of XMP.

A format may have no place for one of them. IPTC's own mapping is that of the IPTC Photo Metadata Standard 2025.1, the
flag and the URL are mapped as Photoshop does. What has no property of its own becomes a line of ``autochrome:Notes``
with its name before it, so that nothing is lost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from pipelines.images import iim, photoshop
from pipelines.images.memory import suppressed
from pipelines.images.png_texts import Text

Form = Literal["text", "alt", "seq", "bag"]


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of XMP.

    Attributes:
        name: with its usual prefix, such as ``dc:title``; '' if there is none for it.
        values: several only for ``seq`` and ``bag``.
        form: plain text, an alternative by language, an ordered or an unordered list.
        label: the name under which it goes to the notes if the photo has another value for the property.
    """

    name: str
    values: tuple[str, ...]
    form: Form = "text"
    label: str = ""


_OF_KEYWORDS: dict[str, tuple[str, Form]] = {
    "title": ("dc:title", "alt"),
    "author": ("dc:creator", "seq"),
    "artist": ("dc:creator", "seq"),
    "description": ("dc:description", "alt"),
    "copyright": ("dc:rights", "alt"),
    "software": ("xmp:CreatorTool", "text"),
    "disclaimer": ("xmpRights:UsageTerms", "alt"),
    "url": ("xmpRights:WebStatement", "text"),
    "label": ("xmp:Label", "text"),
    "make": ("tiff:Make", "text"),
    "model": ("tiff:Model", "text"),
}
_CREATED = ("photoshop:DateCreated", "xmp:CreateDate")
_OF_DATA_SETS: dict[int, tuple[str, Form]] = {
    5: ("dc:title", "alt"),
    10: ("photoshop:Urgency", "text"),
    15: ("photoshop:Category", "text"),
    20: ("photoshop:SupplementalCategories", "bag"),
    25: ("dc:subject", "bag"),
    40: ("photoshop:Instructions", "text"),
    80: ("dc:creator", "seq"),
    85: ("photoshop:AuthorsPosition", "text"),
    90: ("photoshop:City", "text"),
    92: ("Iptc4xmpCore:Location", "text"),
    95: ("photoshop:State", "text"),
    100: ("Iptc4xmpCore:CountryCode", "text"),
    101: ("photoshop:Country", "text"),
    103: ("photoshop:TransmissionReference", "text"),
    105: ("photoshop:Headline", "text"),
    110: ("photoshop:Credit", "text"),
    115: ("photoshop:Source", "text"),
    116: ("dc:rights", "alt"),
    120: ("dc:description", "alt"),
    122: ("photoshop:CaptionWriter", "text"),
}
_DATES = {55: (60, "photoshop:DateCreated"), 62: (63, "xmp:CreateDate")}
_VERSION = 0
_APPLICATION = 2
_FIRST_BINARY = 200  # previews of the picture


def of_texts(texts: Iterable[Text]) -> Iterator[Property]:
    """Yield the properties for the texts of a PNG file."""
    for text in texts:
        keyword = text.keyword.strip().casefold()
        if keyword in ("creation time", "creationtime", "create-date"):
            date = _date(text.text)
            if date:
                yield from (Property(name=name, values=(date,), label=text.keyword) for name in _CREATED)
            if date != text.text.strip():
                yield Property(name="", values=(text.text,), label=text.keyword)
        else:
            name, form = _OF_KEYWORDS.get(keyword, ("", "text"))
            yield Property(name=name, values=(text.text,), form=form, label=text.keyword)


def of_change(changed_at: bytes) -> Iterator[Property]:
    """Yield the property for the time of a PNG's ``tIME`` chunk."""
    if changed_at:
        *day, hour, minute, second = changed_at[2:]
        year = int.from_bytes(changed_at[:2], "big")
        date = f"{year:04d}-{day[0]:02d}-{day[1]:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"
        yield Property(name="xmp:ModifyDate", values=(date,), label="tIME")


def of_comment(comment: bytes) -> Iterator[Property]:
    """Yield the property for a comment."""
    if comment:
        try:
            text = comment.decode()
        except UnicodeDecodeError:
            text = comment.decode("latin-1")
        yield Property(name="exif:UserComment", values=(text.rstrip("\0"),), form="alt", label="Comment")


def of_iptc(iptc: bytes) -> Iterator[Property]:
    """Yield the properties for IIM records."""
    found: dict[int, list[str]] = {}
    for record, number, text in iim.texts(iptc):
        if record == _APPLICATION and number != _VERSION and number < _FIRST_BINARY:
            found.setdefault(number, []).append(text)
    for date, (time, name) in _DATES.items():
        if date in found:
            day, hour = found.pop(date)[0], (found.pop(time, None) or [""])[0]
            yield Property(name=name, values=(_of_iim(day, hour),), label=f"IPTC 2:{date}")
    for number, values in found.items():
        name, form = _OF_DATA_SETS.get(number, ("", "text"))
        if form in ("seq", "bag"):
            yield Property(name=name, values=tuple(values), form=form, label=f"IPTC 2:{number}")
        else:
            yield from (Property(name=name, values=(value,), form=form, label=f"IPTC 2:{number}") for value in values)


def is_complete(iptc: bytes) -> bool:
    """Return whether `of_iptc` says everything that the records say of the photo."""
    return all(record in (1, _APPLICATION) and number < _FIRST_BINARY for record, number, _ in iim.records(iptc))


def of_photoshop(resources: bytes) -> Iterator[Property]:
    """Yield the properties for the resources of `photoshop.said_in`."""
    for number, content in photoshop.blocks(resources):
        if number == photoshop.COPYRIGHT_FLAG:
            yield Property(
                name="xmpRights:Marked", values=("True" if any(content) else "False",), label="Photoshop CopyrightFlag"
            )
        elif number == photoshop.URL:
            yield Property(
                name="xmpRights:WebStatement", values=(content.decode("latin-1").rstrip("\0"),), label="Photoshop URL"
            )


def _date(text: str) -> str:
    """Return a date as XMP wants it (ISO 8601); '' if it cannot be read: RFC 1123 as PNG advises, EXIF, or ISO 8601."""
    text = text.strip()
    if re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        return text
    exif = re.fullmatch(r"(\d{4}):(\d\d):(\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(.*))?", text)
    if exif:
        text = "-".join(exif.groups()[:3]) + (f"T{exif[4]}{exif[5] or ''}" if exif[4] else "")
    with suppressed(ValueError):
        found = datetime.fromisoformat(text)
        return text if exif and not exif[4] else found.isoformat()
    with suppressed(ValueError):
        return parsedate_to_datetime(text).isoformat()
    return ""


def _of_iim(day: str, hour: str) -> str:
    """Return a date and a time of IIM (``19110501``, ``100000+0100``) as XMP wants them."""
    date = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", day)
    if not date:
        return f"{day} {hour}".strip()
    parts = [part for part in date.groups() if int(part)] or ["0000"]
    time = re.fullmatch(r"(\d\d)(\d\d)(\d\d)(?:([+-]\d\d)(\d\d))?", hour)
    if len(parts) < 3 or not time:
        return "-".join(parts)
    zone = f"{time[4]}:{time[5]}" if time[4] else ""
    return f"{'-'.join(parts)}T{time[1]}:{time[2]}:{time[3]}{zone}"
