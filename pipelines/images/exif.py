"""EXIF made to fit: true of upright sRGB pixels, short enough for a JPEG, with a resolution."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from PIL import ExifTags

from pipelines.images import tiff_tags
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_tags import FieldType
from tfrecords.words import first

START = b"Exif\0\0"
"""What EXIF starts with in a JPEG."""
_NOT_SRGB, _SRGB = b"R03\0", b"R98\0"  # DCF's codes for Adobe RGB and for sRGB
_FINEST = 10_000  # denominator of a resolution
LEFT_OUT = "left out: "
"""What a warning starts with that names what a code such as ``exif_shortened`` is about."""
_MOST_NAMED = 20


def make_true(directory: Directory, size: tuple[int, int], *, transposed: bool) -> None:
    """Change a directory so that it is true of upright sRGB pixels.

    Args:
        directory: of a photo.
        size: width and height of the upright pixels.
        transposed: whether turning them upright exchanged width and height.
    """
    fields = directory.fields
    if tiff_tags.ORIENTATION in fields:
        directory.put(tiff_tags.ORIENTATION, FieldType.SHORT, 1)
    across, down = tiff_tags.X_RESOLUTION, tiff_tags.Y_RESOLUTION
    if transposed and {across, down} <= fields.keys():
        fields[across], fields[down] = fields[down], fields[across]
    _put_if_there(directory, tiff_tags.IMAGE_WIDTH, FieldType.LONG, size[0])
    _put_if_there(directory, tiff_tags.IMAGE_LENGTH, FieldType.LONG, size[1])
    photo = directory.children.get(tiff_tags.EXIF_IFD)
    if photo:
        _put_if_there(photo, tiff_tags.COLOR_SPACE, FieldType.SHORT, tiff_tags.SRGB)
        _put_if_there(photo, tiff_tags.PIXEL_X_DIMENSION, FieldType.LONG, size[0])
        _put_if_there(photo, tiff_tags.PIXEL_Y_DIMENSION, FieldType.LONG, size[1])
        photo.fields.pop(tiff_tags.GAMMA, None)
        interop = photo.children.get(tiff_tags.INTEROPERABILITY_IFD, Directory())
        index = interop.fields.get(tiff_tags.INTEROPERABILITY_INDEX)
        if index and index.data == _NOT_SRGB:
            interop.fields[tiff_tags.INTEROPERABILITY_INDEX] = Field(type=FieldType.ASCII, data=_SRGB)


def in_space(directory: Directory, space: str) -> Directory:
    """Return a directory that `make_true` made true of sRGB, true of pixels in another space, which EXIF can only hint.

    Args:
        directory: it stays as it is.
        space: one of `model.color_spaces.SPACES`.
    """
    if space == "srgb" or tiff_tags.EXIF_IFD not in directory.children:
        return directory
    result = directory.copy()
    photo = result.children[tiff_tags.EXIF_IFD]
    _put_if_there(photo, tiff_tags.COLOR_SPACE, FieldType.SHORT, tiff_tags.UNCALIBRATED)
    interop = photo.children.get(tiff_tags.INTEROPERABILITY_IFD, Directory())
    index = interop.fields.pop(tiff_tags.INTEROPERABILITY_INDEX, None)
    if index and space == "adobe_rgb":
        interop.fields[tiff_tags.INTEROPERABILITY_INDEX] = Field(type=FieldType.ASCII, data=_NOT_SRGB)
    return result


def _put_if_there(directory: Directory, tag: int, kind: FieldType, value: int) -> None:
    if tag in directory.fields:
        directory.put(tag, kind, value)


def add_resolution(directory: Directory, dpi: tuple[float, float] | None) -> None:
    """Add the resolution to a directory that has none, for formats that have no other place for it."""
    if dpi and tiff_tags.X_RESOLUTION not in directory.fields:
        for tag, value in zip((tiff_tags.X_RESOLUTION, tiff_tags.Y_RESOLUTION), dpi, strict=True):
            ratio = Fraction(value).limit_denominator(_FINEST)
            directory.put(tag, FieldType.RATIONAL, min(ratio.numerator, 0xFFFFFFFF), ratio.denominator)
        directory.put(tiff_tags.RESOLUTION_UNIT, FieldType.SHORT, tiff_tags.INCH)


def shortened(directory: Directory, most: int) -> tuple[Directory, list[int]]:
    """Return a directory cut to at most ``most`` bytes, and the tags of what was left out.

    The MakerNote is left out first, because only its maker's software can read it, and then the longest values.
    """
    result = directory.copy()
    photo = result.children.get(tiff_tags.EXIF_IFD, Directory())
    lost = [tiff_tags.MAKER_NOTE] if photo.fields.pop(tiff_tags.MAKER_NOTE, None) else []
    excess = result.size - most
    for fields, tag in sorted(_places(result), key=lambda place: -len(place[0][place[1]].data)):
        if excess <= 0:
            break
        excess -= fields.pop(tag).size
        lost.append(tag)
    return result, lost


def left_out(tags: Iterable[int]) -> str:
    """Return the warning that names the tags that were left out."""
    names = [ExifTags.TAGS.get(tag) or ExifTags.GPSTAGS.get(tag) or str(tag) for tag in tags]
    return f"{LEFT_OUT}EXIF {first(names, _MOST_NAMED)}"


def _places(directory: Directory) -> Iterator[tuple[dict[int, Field], int]]:
    """Yield each value of a directory and of those it points to, as the fields that hold it and its tag."""
    for tag in directory.fields:
        yield directory.fields, tag
    for child in directory.children.values():
        yield from _places(child)
