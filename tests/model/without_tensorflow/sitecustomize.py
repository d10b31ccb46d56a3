"""Takes away what a machine that trains with JAX does not have: TensorFlow, Beam, Google's clients."""

import importlib.abc
import sys

ABSENT = {"tensorflow", "tensorflow_io", "apache_beam", "google", "google_crc32c", "skimage", "tifffile", "imagecodecs"}


class Absent(importlib.abc.MetaPathFinder):
    """Finds no module of these packages."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
