"""The model and the child processes that photos need, opened once for all photos of a process."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from model.guidance.guided import Predict
from model.guidance.reference import Look
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.render import render
from pipelines.archive.signing import Sign
from pipelines.guidance.models import Model
from pipelines.runtime.photo_process import PhotoProcesses

if TYPE_CHECKING:
    from model.colorizer import Colorizer

MOST_CHOSEN = 4
"""The number of models that a process keeps besides that of the run; of more, the one that was not used for longest
leaves, and is loaded again when a photo needs it."""
Save = Callable[[Record, dict[str, bytes]], Record]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything that a photo needs to be processed.

    Attributes:
        recipe: settings, and the identity of the model.
        size: side S of the model's input, in pixels.
        predict: luminance float32 ``[1, S, S, 1]`` in [0, 1], and hints or None → a and b, float32 ``[1, S, S, 2]``.
        look: what the network sees in a luminance, see `model.colorizer.Colorizer.look`.
        save: writes a photo's files, given by path relative to the output; returns the record of what is there then.
        processes: the child processes; their handler is `pipelines.archive.render.render`.
        sign: returns the signature of bytes; called only if the recipe says who signs.
        load: returns a model that a rule chose.
    """

    recipe: Recipe
    size: int
    predict: Predict
    look: Look = lambda light: ()
    save: Save
    processes: PhotoProcesses
    sign: Sign = bytes
    load: "Callable[[Model], Colorizer]"

    def of_photo(self, name: str) -> "Context":
        """Return the context for the photo of that name, for which a rule may choose another model.

        Raises:
            UserError: that model cannot be loaded, or has changed.
        """
        chosen = self.recipe.plan.of(name).model
        if chosen is None:
            return self
        colorizer = self.load(chosen)
        recipe = self.recipe.of_photo(name)
        return replace(self, recipe=recipe, size=colorizer.size, predict=colorizer.predict, look=colorizer.look)


class Engine:
    """The model and the child processes of one process; a context manager that closes them.

    Attributes:
        colorizer: the model.
        processes: the child processes.
    """

    def __init__(self, model: str, recipe: Recipe, *, started: int = 1, most: int = 0) -> None:
        """Start the child processes and load the model, at the same time.

        Args:
            model: the SavedModel folder, or one of `model.saved_model.SHIPPED`.
            recipe: of the run; the model must have its digest.
            started: how many child processes to start at once.
            most: how many of them work at a time; 0 for any number.

        Raises:
            UserError: the folder has no model that can be loaded, the model has changed, or there is no key to sign
                with.
        """
        self._sign = recipe.signing.signer() if recipe.signing else bytes
        self._recipe = recipe
        self._chosen: OrderedDict[str, Colorizer] = OrderedDict()
        self._lock = Lock()
        self.processes = PhotoProcesses(render, started=started, limits=recipe.settings.limits, most=most)
        try:
            self.colorizer = _loaded(model, recipe.model_digest)
        except BaseException:
            self.processes.close()
            raise

    def context(self, save: Save) -> Context:
        """Return the context for photos whose files go to ``save``."""
        return Context(
            recipe=self._recipe,
            size=self.colorizer.size,
            predict=self.colorizer.predict,
            look=self.colorizer.look,
            save=save,
            processes=self.processes,
            sign=self._sign,
            load=self._load,
        )

    def _load(self, model: Model) -> "Colorizer":
        """Return a model that a rule chose; it is loaded when the first photo needs it."""
        if model.digest == self._recipe.model_digest:
            return self.colorizer
        with self._lock:
            if model.digest not in self._chosen:
                while len(self._chosen) >= MOST_CHOSEN:
                    self._chosen.popitem(last=False)
                self._chosen[model.digest] = _loaded(model.path, model.digest)
            self._chosen.move_to_end(model.digest)
            return self._chosen[model.digest]

    def close(self) -> None:
        """End the idle child processes."""
        self.processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _loaded(model: str, digest: str) -> "Colorizer":
    from model.colorizer import Colorizer

    # Photos keep all cores busy, and one thread gives the same bits for any number of cores.
    return Colorizer.load(model, digest, one_thread=True)
