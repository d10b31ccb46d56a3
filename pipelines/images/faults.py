"""What is wrong with a file that a decoder refuses, in words for a curator, with the library's text behind them."""

# What libraries say, and what it means; the first that fits.
_MEANINGS = (
    (("truncated", "cut short", "premature", "eof", "unexpected end", "need_more_input"), "the file is cut short"),
    (("crc", "checksum"), "the file is damaged: a checksum is wrong"),
    (("missing", "fewer than"), "a part of the picture is missing"),
    (("unsupported", "not implemented", "unknown", "cannot handle", "not supported"), "this kind of file is not read"),
    (
        ("broken", "corrupt", "invalid", "decoder error", "bad ", "error -", "failed"),
        "the picture is damaged or cut short",
    ),
)
_LONGEST = 200


def told(error: BaseException) -> str:
    """Return what an error of a decoder means, and what it says itself in brackets."""
    said = f"{type(error).__name__}: {error}"[:_LONGEST]
    text = str(error).lower()
    meaning = next(
        (words for signs, words in _MEANINGS if any(sign in text for sign in signs)), "the picture is damaged"
    )
    return f"{meaning} ({said})"
