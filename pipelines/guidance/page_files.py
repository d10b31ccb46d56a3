"""The hint files of several pages of one photo as the bytes of one, as they travel to the process that reads them."""

import base64
import json

_START = b"pages of hints\n"


def packed(files: dict[int, bytes]) -> bytes:
    """Return files, by page from 1, as one."""
    texts = {str(page): base64.b64encode(data).decode() for page, data in files.items()}
    return _START + json.dumps(texts).encode()


def unpacked(data: bytes) -> dict[int, bytes]:
    """Return the files in what `packed` returned, by page; any other data are those of the first page."""
    if not data.startswith(_START):
        return {1: data}
    return {int(page): base64.b64decode(text) for page, text in json.loads(data[len(_START) :]).items()}
