"""The samples of a WebDataset: files of a tar that share a key belong together.

The key is the path up to the first dot of the file's name: ``0/000.jpg``, ``0/000.json`` and ``0/000.cls`` are one
sample, and follow each other in the tar. The content of ``.cls`` is the class of the photos of its sample.
"""

from collections.abc import Callable, Iterable, Iterator

from pipelines.files.tars import Member

_CLASS = ".cls"
_LONGEST_CLASS = 256
_LARGEST_SAMPLE = 64


def labelled(members: Iterable[Member], read: Callable[[Member], bytes]) -> Iterator[tuple[Member, str]]:
    """Yield the members of a tar in their order, each with the class of its sample; '' if it has none.

    Args:
        members: of the tar. If they end with an error, the members before are yielded first.
        read: returns the content of a member.
    """
    key, label = "", ""
    sample: list[Member] = []
    try:
        for member in members:
            its_key = _key(member.name)
            if its_key != key or len(sample) == _LARGEST_SAMPLE:
                yield from ((one, label) for one in sample)
                sample.clear()
            if its_key != key:
                key, label = its_key, ""
            sample.append(member)
            if member.name.lower().endswith(_CLASS) and member.size <= _LONGEST_CLASS:
                label = _text(read(member))
    finally:
        yield from ((one, label) for one in sample)


def _key(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0]}"


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace").strip()
    return text if text.isprintable() else ""
