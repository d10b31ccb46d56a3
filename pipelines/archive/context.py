"""What a photo needs beside itself: the model and the child processes, opened once for all photos of a process."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from model import quiet
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.render import render
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.color import Floats

if TYPE_CHECKING:
    from model.colorizer import Colorizer

Save = Callable[[Record, dict[str, bytes]], Record]


@dataclass(frozen=True)
class Context:
    """All that a photo needs beside itself.

    Attributes:
        recipe: settings and model, in words.
        size: side S of the model's input.
        predict: luminance float32 ``[1, S, S, 1]`` in [0, 1] → a and b, float32 ``[1, S, S, 2]``.
        save: puts a photo's files under their paths relative to the output; returns the record of what is there then.
        processes: the children; their handler is `pipelines.archive.render.render`.
    """

    recipe: Recipe
    size: int
    predict: Callable[[Floats], Floats]
    save: Save
    processes: PhotoProcesses


class Engine:
    """The model and the child processes of one process; a context manager that closes them.

    Attributes:
        colorizer: the model.
        processes: the children.
    """

    def __init__(self, model: str, recipe: Recipe, *, started: int = 1) -> None:
        """Open both. Child processes start while TensorFlow is imported.

        Args:
            model: the SavedModel folder, or `model.saved_model.RELEASED`.
            recipe: of the run; the model must have its digest.
            started: how many child processes to start at once.

        Raises:
            UserError: the folder holds no model that can be loaded, or the model has changed.
        """
        self._recipe = recipe
        self.processes = PhotoProcesses(render, started=started)
        try:
            self.colorizer = _loaded(model, recipe.model_digest)
        except BaseException:
            self.processes.close()
            raise

    def context(self, save: Save) -> Context:
        """Return the context of photos whose files go to ``save``."""
        return Context(self._recipe, self.colorizer.size, self.colorizer.predict, save, self.processes)

    def close(self) -> None:
        """End the child processes that have no photo."""
        self.processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _loaded(model: str, digest: str) -> "Colorizer":
    with quiet.startup():
        from model.colorizer import Colorizer, one_thread_a_prediction

    # Photos keep all cores busy, and one thread gives the same bits wherever a photo is made.
    one_thread_a_prediction()
    return Colorizer.load(model, digest)
