"""Read palettes: lists of hex colours, GIMP's .gpl, Adobe's .ase and .aco, and pictures of swatches."""

import colorsys
import hashlib
import io
import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from model.guidance.hints import chroma_of
from pipelines.files import faults, storage
from pipelines.images import formats
from pipelines.images.memory import out_of_memory
from tfrecords import color
from tfrecords.color import Bytes
from tfrecords.errors import UserError

Chroma = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class PaletteFile:
    """A palette that was read.

    Attributes:
        name: of the file.
        sha256: of the file.
        colours: a and b of each.
    """

    name: str
    sha256: str
    colours: tuple[Chroma, ...]


MOST_COLOURS = 256
"""The number of colours that a palette may have."""
_SWATCHES = 64  # a picture with more colours than this is a photo, of which the main colours are taken
_MAIN = 6
_SIDE = 128
_MOST_PIXELS = 25_000_000
_OPAQUE = 127
_FARTHEST = 200.0  # a and b of the strongest colours of any space are below
_HEX = re.compile(r"#?([0-9a-fA-F]{6})\Z")


def load(path: str) -> PaletteFile:
    """Return the palette in a file, local or gs://.

    Raises:
        UserError: there is no such file, or it is broken.
        WorldError: the disk or the bucket fails.
    """
    try:
        data = storage.read(path)
    except storage.io_errors() as error:
        raise UserError(f"palette {path} cannot be read: {faults.cause(error)}") from error
    name = path.rpartition("/")[2]
    try:
        return PaletteFile(name=name, sha256=hashlib.sha256(data).hexdigest(), colours=read(name, data))
    except ValueError as error:
        raise UserError(f"palette {path} cannot be used: {error}") from error


def read(name: str, data: bytes) -> tuple[Chroma, ...]:
    """Return a and b of the colours of a palette, in its order, without repetitions.

    Args:
        name: of the file; its ending tells the format: ``.gpl``, ``.ase``, ``.aco``; ``.txt`` and ``.hex`` for a list
            of hex colours; anything else is a picture.
        data: of the file.

    Raises:
        ValueError: it is broken, or has no colours or too many; says what.
    """
    ending = name.lower().rpartition(".")[2]
    try:
        found = list(dict.fromkeys(_READERS.get(ending, _picture)(data)))
    except (struct.error, IndexError) as error:
        raise ValueError(f"it is cut short, or is not a palette of the kind .{ending}") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    if not all(math.isfinite(value) and abs(value) <= _FARTHEST for chroma in found for value in chroma):
        raise ValueError("a colour has numbers out of range")
    if not 1 <= len(found) <= MOST_COLOURS:
        raise ValueError(f"it has {len(found):,} colours; 1 to {MOST_COLOURS} are possible")
    return tuple(found)


def _of_rgb(red: float, green: float, blue: float) -> Chroma:
    """Return a and b of sRGB in [0, 255]."""
    a, b = chroma_of([min(255, max(0, round(value))) for value in (red, green, blue)])
    return float(a), float(b)


def _hex(data: bytes) -> Iterator[Chroma]:
    for number, line in enumerate(data.decode("utf-8-sig").splitlines(), start=1):
        for word in re.split(r"[\s,;]+", line.partition("//")[0].strip()):
            if not word:
                continue
            found = _HEX.match(word)
            if found is None:
                raise ValueError(f"line {number}: a color must be #rrggbb, not {word!r}")
            yield _of_rgb(*bytes.fromhex(found[1]))


def _gimp(data: bytes) -> Iterator[Chroma]:
    lines = data.decode("utf-8-sig", "replace").splitlines()
    if not lines or not lines[0].startswith("GIMP Palette"):
        raise ValueError("its first line is not GIMP Palette")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.lstrip().startswith("#") or re.match(r"\w+:", line):
            continue
        values = line.split()[:3]
        if len(values) < 3 or not all(value.isdecimal() and int(value) < 256 for value in values):
            raise ValueError(f"line {number}: a colour has three numbers from 0 to 255")
        yield _of_rgb(*map(int, values))


def _exchange(data: bytes) -> Iterator[Chroma]:
    """Adobe Swatch Exchange: blocks of a kind and a length; those of kind 1 are colours."""
    if data[:4] != b"ASEF":
        raise ValueError("it does not begin with ASEF")
    (blocks,) = struct.unpack_from(">I", data, 8)
    at = 12
    for _ in range(blocks):
        kind, length = struct.unpack_from(">HI", data, at)
        if kind == 1:
            (letters,) = struct.unpack_from(">H", data, at + 6)
            start = at + 8 + 2 * letters
            space = data[start : start + 4]
            if space == b"RGB ":
                yield _of_rgb(*(255 * value for value in struct.unpack_from(">3f", data, start + 4)))
            elif space == b"CMYK":
                yield _of_cmyk(*struct.unpack_from(">4f", data, start + 4))
            elif space == b"LAB ":
                _, a, b = struct.unpack_from(">3f", data, start + 4)
                yield a, b
            elif space == b"Gray":
                yield 0.0, 0.0
            else:
                raise ValueError(f"its colour space {space!r} is unknown")
        at += 6 + length


def _photoshop(data: bytes) -> Iterator[Chroma]:
    """Photoshop's swatches: a version, a number, and five words for each colour, of which the first is its space."""
    version, number = struct.unpack_from(">2H", data)
    if version not in (1, 2):
        raise ValueError(f"its version {version} is unknown")
    at = 4
    for _ in range(number):
        space, *words = struct.unpack_from(">5H", data, at)
        at += 10
        if version == 2:
            at += 4 + 2 * struct.unpack_from(">I", data, at)[0]  # the name
        if space == 0:
            yield _of_rgb(*(value / 257 for value in words[:3]))
        elif space == 1:
            yield _of_rgb(*(255 * value for value in colorsys.hsv_to_rgb(*(word / 65535 for word in words[:3]))))
        elif space == 2:
            yield _of_cmyk(*(1 - word / 65535 for word in words))
        elif space == 7:
            a, b = struct.unpack(">2h", struct.pack(">2H", *words[1:3]))
            yield a / 100, b / 100
        elif space == 8:
            yield 0.0, 0.0
        else:
            raise ValueError(f"its colour space {space} is unknown")


def _of_cmyk(cyan: float, magenta: float, yellow: float, black: float) -> Chroma:
    return _of_rgb(*(255 * (1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)))


def _picture(data: bytes) -> Iterator[Chroma]:
    """The colours of a picture of swatches; of any other picture, its main colours. Transparent pixels have none."""
    picture = _pixels(data)
    found = _few(picture)
    if found is not None:
        yield from (_of_rgb(*pixel) for pixel in found)
        return
    from model.guidance import clustering  # SciPy takes a quarter of a second to import

    picture.thumbnail((_SIDE, _SIDE))
    for a, b in clustering.centres(color.srgb_to_lab(_opaque(picture)[None])[0, :, 1:].astype(np.float64), _MAIN):
        yield float(a), float(b)


def _few(picture: Image.Image) -> Bytes | None:
    """Return the colours of a picture of swatches, the most frequent first; None if it has more than those."""
    if picture.mode == "RGB":
        found = picture.getcolors(_SWATCHES)
        return (
            None if found is None else np.array([one for _, one in sorted(found, key=lambda pair: -pair[0])], np.uint8)
        )
    colours, numbers = np.unique(_opaque(picture), axis=0, return_counts=True)
    return None if len(colours) > _SWATCHES else colours[np.argsort(-numbers, kind="stable")]


def _opaque(picture: Image.Image) -> Bytes:
    """Return the pixels that are more than half opaque, uint8 ``[N, 3]``; ValueError if there are none."""
    pixels = np.asarray(picture).reshape(-1, len(picture.mode))
    opaque = np.ascontiguousarray(pixels[:, :3] if picture.mode == "RGB" else pixels[pixels[:, 3] > _OPAQUE, :3])
    if not len(opaque):
        raise ValueError("it is transparent all over")
    return opaque


def _pixels(data: bytes) -> Image.Image:
    large = "it has more than 25 megapixels; make it smaller"
    try:
        # Of all formats that Pillow knows, some run other programs.
        with Image.open(io.BytesIO(data), formats=formats.READ) as image:
            if image.width * image.height <= _MOST_PIXELS:
                return image.convert("RGBA" if image.has_transparency_data else "RGB")
    except UnidentifiedImageError as error:
        known = f".{', .'.join(_READERS)}"
        raise ValueError(f"it is not a picture, and its ending is not one of {known}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(large) from error
    except Exception as error:  # Pillow raises many kinds
        if out_of_memory(error):
            raise
        raise ValueError(f"it is a picture that cannot be read ({error})") from error
    raise ValueError(large)


_READERS: dict[str, Callable[[bytes], Iterator[Chroma]]] = {
    "txt": _hex,
    "hex": _hex,
    "gpl": _gimp,
    "ase": _exchange,
    "aco": _photoshop,
}
