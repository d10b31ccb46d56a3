"""The colorizer: a SavedModel in use, luminance in, chroma out.

LiteRT predicts if the model has a network for it (`model.lite`), and TensorFlow does if it has none, on machines with
a GPU, and where many pictures are predicted together.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from model import lite, quiet, saved_model
from model.batches import Batches
from model.borders import find
from model.causes import in_one_line
from model.color_spaces import SPACES
from model.framing import recolor_picture
from model.guidance import guided
from model.guidance.guided import Choices
from model.guidance.hints import Hints, paint, shrunk
from model.guidance.ranges import METHODS, best_method
from model.lite_features import Features
from tfrecords.color import Floats, Pixels
from tfrecords.errors import UserError

CHROMA_SCALE = np.float32(128)
_HINT_SCALE = np.array([CHROMA_SCALE, CHROMA_SCALE, 1], np.float32)
_GPU = Path("/dev/nvidiactl")


class Engine(Protocol):
    """What predicts: `model.lite.Engine` or `model.graph_engine.Engine`."""

    size: int
    hint_side: int

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return ab / 128, float32 ``[N, S, S, 2]``, for luminance ``[N, S, S, 1]`` and hints ``[N, R, R, 3]``."""


class Colorizer:
    """A SavedModel that `autochrome train` wrote, ready to predict. Pickles as its path and loads again elsewhere.

    Attributes:
        path: the SavedModel folder, or one of `model.saved_model.SHIPPED`.
        name: of the configuration it was trained with.
        size: side S of the square luminance that it takes, in pixels.
        digest: by which it is known (see `model.saved_model.digest`).
        parameters: how many weights it has.
        takes_hints: whether hints may be given to it.
    """

    def __init__(self, *, path: str, name: str, digest: str, parameters: int, engine: Engine) -> None:
        self.path = path
        self.name = name
        self.size = engine.size
        self.digest = digest
        self.parameters = parameters
        self.takes_hints = engine.hint_side > 0
        self._engine = engine

    @classmethod
    def load(cls, path: str, digest: str = "", *, batches: bool = False, one_thread: bool = False) -> Colorizer:
        """Load the SavedModel folder `path`, local or gs://, or one of `model.saved_model.SHIPPED`.

        Args:
            path: the folder.
            digest: that it had when the job was launched; "" when any will do.
            batches: whether many pictures will be predicted together, which TensorFlow does faster.
            one_thread: whether TensorFlow is to keep each prediction on one core, as LiteRT does; this has an effect
                before its first operation only.

        Raises:
            UserError: the folder is missing, is not one of ours, cannot be loaded, has another digest, or its signature
                `serving_default` is not luminance float32 ``[N, S, S, 1]`` → chroma float32 ``[N, S, S, 2]``.
        """
        return saved_model.read(path, lambda folder: cls._load(path, folder, digest, batches, one_thread))

    @classmethod
    def _load(cls, path: str, folder: str, digest: str, batches: bool, one_thread: bool) -> Colorizer:
        """Load the model of `path`, which is in `folder`; see `load`."""
        record = saved_model.check(path)
        engine: Engine
        if not batches and not _GPU.exists() and (light := lite.load(folder, record)):
            engine, parameters = light, int(record[lite.KEY]["parameters"])
        else:
            with quiet.startup():
                from model import graph_engine
            if one_thread:
                graph_engine.one_thread_a_prediction()
            try:
                engine = graph = graph_engine.Engine(path, folder)
            except UserError:
                raise
            except Exception as error:  # TensorFlow raises anything from OSError to KeyError on a damaged folder.
                with contextlib.suppress(OSError):  # Without all of its files it has no digest.
                    _check_unchanged(path, folder, digest)
                raise UserError(f"model {path} cannot be loaded ({in_one_line(error)}); export it again") from error
            parameters = graph.parameters
            if _GPU.exists() and not batches:
                engine = Batches(graph)
        # After loading: files that were replaced meanwhile are noticed as well.
        found = _check_unchanged(path, folder, digest)
        return cls(path=path, name=str(record["name"]), digest=found, parameters=parameters, engine=engine)

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return the chroma of a batch.

        Args:
            luminance: float32 ``[N, S, S, 1]`` with N of at least 1, L* / 100 in [0, 1].
            hints: for a model that takes them, float32 ``[N, h, w, 3]`` of any size: a, b, and 1 where they are given;
                0 elsewhere. None for none.

        Returns:
            a and b in Lab units, float32 ``[N, S, S, 2]`` in (-128, 128).

        Raises:
            ValueError: the model takes no hints.
        """
        if hints is None:
            return self._engine.predict(luminance) * CHROMA_SCALE
        if not self.takes_hints:
            raise ValueError(f"model {self.path} takes no hints")
        small = np.stack([shrunk(one, self._engine.hint_side) for one in hints])
        return self._engine.predict(luminance, small / _HINT_SCALE) * CHROMA_SCALE

    def look(self, light: Floats) -> tuple[Floats, ...]:
        """Return what the network sees at the places of a picture, see `model.lite_features`.

        Args:
            light: L*, float32 ``[S, S]``.

        Returns:
            its inner layers, each float32 ``[n, n, C]``; none for a model without a network for LiteRT.
        """
        return () if self._features is None else self._features.look(light)

    @functools.cached_property
    def _features(self) -> Features | None:
        record = saved_model.check(self.path)
        model = saved_model.read(self.path, lambda folder: lite.content(folder, record))
        if model is None:
            return None
        stored = record["config"]
        try:
            return Features(model, stored.get("export_resolution") or stored["resolution"])
        except ValueError:  # a network of one's own may have no such layers
            return None

    def colorize(
        self,
        pixels: Pixels,
        borders: Literal["ignore", "keep"] = "ignore",
        *,
        saturation: float = 1.0,
        color_space: str = "srgb",
        hints: Hints | None = None,
        hint_reach: float | None = None,
    ) -> Pixels:
        """Colorize one photo as `autochrome colorize` does.

        Args:
            pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]`` with sides of at least 1, sRGB, upright; of colour,
                only the lightness is used.
            borders: ``ignore`` leaves the margin around a picture grey (`model.borders`); ``keep`` colours the whole
                frame.
            saturation: factor of the model's chroma, from 0 to 4; luminance and hue stay.
            color_space: of the result: ``srgb``, ``adobe_rgb``, ``display_p3`` or ``ecirgb_v2``.
            hints: colours at places of the photo, see `model.guidance.hints`; None for none.
            hint_reach: how far they reach, as a share of the longer side, from 0 to 1; None for what suits the model.

        Returns:
            colour of the same type, ``[H, W, 3]``. L* is the photo's to within rounding.

        Raises:
            ValueError: the pixels have another shape or type, ``borders`` or ``color_space`` is unknown, or a number is
                out of range.
            UserError: the model predicts colours that are not finite numbers.
        """
        is_picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
        if not is_picture or not pixels.size or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                "pixels must be uint8 or uint16 [H, W] or [H, W, 3], and are "
                f"{pixels.dtype} [{', '.join(map(str, pixels.shape))}]"
            )
        if borders not in ("ignore", "keep"):
            raise ValueError(f"borders must be ignore or keep, not {borders!r}")
        if color_space not in SPACES:
            raise ValueError(f"color_space must be one of {', '.join(SPACES)}, not {color_space!r}")
        method = best_method(takes_hints=self.takes_hints)
        reach = METHODS[method] if hint_reach is None else hint_reach
        choices = Choices(saturation=saturation, hint_reach=reach, hint_method=method)
        pixels = pixels if pixels.flags.c_contiguous else pixels.copy()
        picture = find(pixels) if borders == "ignore" else None
        asked = guided.question(pixels, picture, self.size, hints)
        chroma = guided.answer(asked, choices, self.predict)
        if not np.isfinite(chroma).all():
            raise UserError(f"model {self.path} predicts colours that are not finite numbers; train it again")
        colored = recolor_picture(pixels, chroma, picture, 8 * pixels.dtype.itemsize, asked.seen, color_space)
        if hints is not None:
            paint(colored, pixels, hints, picture, color_space)
        return colored

    def __reduce__(self) -> tuple[Callable[[str], Colorizer], tuple[str]]:
        return Colorizer.load, (self.path,)


def _check_unchanged(path: str, folder: str, digest: str) -> str:
    """Return the digest of a model in a folder; UserError when it is not the expected one, where one is given."""
    found = saved_model.digest(folder)
    if digest and found != digest:
        raise UserError(f"the model in {path} changed while the job ran; start the job again")
    return found
