"""The formats that photos are written in, and the extensions of their files."""

_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_WRITTEN: dict[str, tuple[str, ...]] = {
    "JPEG": _JPEG,
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}


def output_format(choice: str, source_format: str) -> str:
    """Returns the format to write, in Pillow's words.

    Args:
        choice: ``keep``, or one of ``jpeg``, ``png``, ``tiff``, ``webp``.
        source_format: of the source; ``keep`` turns what is not one of these into PNG, which loses nothing.
    """
    wanted = {"MPO": "JPEG"}.get(source_format, source_format) if choice == "keep" else choice.upper()
    return wanted if wanted in _WRITTEN else "PNG"


def format_of(name: str) -> str | None:
    """Returns the format of a file's extension, as `output_format` takes it; None if it is not one that is written."""
    fitting = (known for known, extensions in _WRITTEN.items() if name.lower().endswith(extensions))
    found = next(fitting, None)
    return found.lower() if found else None


def output_name(name: str, file_format: str) -> str:
    """Returns the name under which a photo is written: an extension is added if its own does not fit the format.

    Adding, not replacing, keeps ``scan.bmp`` and ``scan.png`` apart.
    """
    extensions = _WRITTEN[file_format]
    return name if name.lower().endswith(extensions) else name + extensions[0]
