"""The formats that photos are read from and written in, and the extensions of their files."""

# Formats by Pillow's names, in the order in which they are tried; JPEG includes MPO. Left out on purpose: EPS and WMF,
# which other programs draw (Ghostscript, Windows); BUFR, GRIB, HDF5 and MPEG, which Pillow only recognises; IPTC, a
# wrapper whose content could be anything.
READ = (
    *("BMP", "DIB", "GIF", "JPEG", "PPM", "PNG", "AVIF", "BLP", "CUR", "DCX", "DDS", "FITS", "FLI", "FTEX", "GBR"),
    *("ICNS", "ICO", "IM", "IMT", "JPEG2000", "MCIDAS", "MSP", "PCD", "PCX", "PIXAR", "PSD", "QOI", "SGI", "SPIDER"),
    *("SUN", "TGA", "TIFF", "WEBP", "XBM", "XPM", "XVTHUMB"),
)
# Those that imagecodecs reads, with names of our own.
READ_BY_OTHERS = ("JPEG-LS", "JXL")
_NOT_READ = {
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"%PDF": "PDF",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"\x89HDF": "HDF5",
    b"GRIB": "GRIB",
    b"BUFR": "BUFR",
    b"PK\x03\x04": "ZIP",
}
# How raw files of cameras start, other than TIFFs.
_RAW = (b"FUJIFILM", b"\0MRM", b"FOVb", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"II\x1a\0\0\0HEAP")
_BRANDS = {b"crx ": "camera raw", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF", b"hevc": "HEIC"}
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_WRITTEN: dict[str, tuple[str, ...]] = {
    "JPEG": _JPEG,
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_COPIED: dict[str, tuple[str, ...]] = {
    **_WRITTEN,
    "AVIF": (".avif", ".avifs"),
    "BMP": (".bmp", ".dib"),
    "DDS": (".dds",),
    "DIB": (".dib", ".bmp"),
    "GIF": (".gif",),
    "ICNS": (".icns",),
    "ICO": (".ico",),
    "JPEG-LS": (".jls",),
    "JPEG2000": (".jp2", ".j2c", ".j2k", ".jpc", ".jpf", ".jpx"),
    "JXL": (".jxl",),
    "MPO": (*_JPEG, ".mpo"),
    "PCX": (".pcx",),
    "PPM": (".ppm", ".pbm", ".pfm", ".pgm", ".pnm"),
    "PSD": (".psd",),
    "QOI": (".qoi",),
    "SGI": (".sgi", ".bw", ".rgb", ".rgba"),
    "SUN": (".ras",),
    "TGA": (".tga", ".icb", ".vda", ".vst"),
}
_ANY_OTHER = (".img",)
# The extensions that may be added to a photo's name, and all that the name of a file in the output may end in.
ADDED = tuple(extensions[0] for extensions in _WRITTEN.values())
ADDED_TO_COPIES = tuple(dict.fromkeys((*ADDED, *(known[0] for known in _COPIED.values()), *_ANY_OTHER)))
EXTENSIONS = tuple(sorted({*_ANY_OTHER, *(one for known in _COPIED.values() for one in known)}))


def not_read(data: bytes) -> str:
    """Return the name of a known format that is not read, judged by the first bytes of a file; '' for any other."""
    if is_raw(data):
        return "camera raw"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "")
    return next((name for start, name in _NOT_READ.items() if data.startswith(start)), "")


def is_raw(data: bytes) -> bool:
    """Return whether a file other than a TIFF is the raw file of a camera, judged by its first bytes."""
    return data.startswith(_RAW) or (data[4:8] == b"ftyp" and data[8:12] == b"crx ")


def output_format(choice: str, source_format: str) -> str:
    """Return the format to write, by Pillow's name.

    Args:
        choice: ``keep``, or one of ``jpeg``, ``png``, ``tiff``, ``webp``.
        source_format: of the source; ``keep`` turns any that is not written into PNG, which loses nothing.
    """
    wanted = {"MPO": "JPEG"}.get(source_format, source_format) if choice == "keep" else choice.upper()
    return wanted if wanted in _WRITTEN else "PNG"


def format_of(name: str) -> str | None:
    """Return the format of a file's extension, as `output_format` takes it; None if it is not one that is written."""
    fitting = (known for known, extensions in _WRITTEN.items() if name.lower().endswith(extensions))
    found = next(fitting, None)
    return found.lower() if found else None


def output_name(name: str, file_format: str) -> str:
    """Return the name under which a photo is written: an extension is added if its own does not fit the format.

    Adding, not replacing, keeps ``scan.bmp`` and ``scan.png`` apart.
    """
    return _ending_in(_WRITTEN[file_format], name)


def copy_name(name: str, source_format: str) -> str:
    """Return the name under which a photo is copied: an extension is added if its own is not that of its format.

    Args:
        name: of the photo.
        source_format: of its bytes, by Pillow's name.
    """
    return _ending_in(_COPIED.get(source_format, _ANY_OTHER), name)


def _ending_in(extensions: tuple[str, ...], name: str) -> str:
    return name if name.lower().endswith(extensions) else name + extensions[0]
