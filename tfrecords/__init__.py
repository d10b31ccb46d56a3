"""The contract between the programs: what one Lab example is, colour science, record files, their description.

`tfrecords.load` reads a prepared set as a `tf.data.Dataset`; it is imported, with TensorFlow, when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfrecords.dataset import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Import `load` on its first use."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tfrecords import dataset

    return dataset.load
