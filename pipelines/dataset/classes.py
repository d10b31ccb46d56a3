"""Name the class of a photo, which is stored as its synset."""

import re

from tfrecords.example import synset_of

_WORDNET = re.compile(r"n\d{8}")


def synset(name: str, label: str) -> str:
    """Return the class of a photo.

    Args:
        name: path relative to the input. Its folder may be a WordNet id; so may the beginning of its file's name, as
            in ``n01440764_10026.JPEG``.
        label: class of its sample in a WebDataset, such as a WordNet id or a number; '' if it has none.

    Returns:
        the WordNet id, if there is one; else the label.
    """
    if _WORDNET.fullmatch(label):
        return label
    of_file = _WORDNET.match(name.rpartition("/")[2]) if label else None
    return synset_of(name) or (of_file[0] if of_file else label)
