"""The colorizer: a SavedModel in use, luminance in, chroma out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import saved_model, upsampling
from model.borders import find
from model.framing import recolor_picture, seen_part
from model.plain_paths import plain
from tfrecords.color import Pixels
from tfrecords.errors import UserError

CHROMA_SCALE = np.float32(128)


def one_thread_a_prediction() -> None:
    """Keep each prediction on one core, for callers that keep all cores busy with their own threads.

    Predictions then take a quarter less processor time. This only has an effect before TensorFlow's first operation.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)


class Colorizer:
    """A SavedModel that `autochrome train` wrote, ready to predict. Pickles as its path and loads again elsewhere.

    Attributes:
        path: the SavedModel folder, or one of `model.saved_model.SHIPPED`.
        name: of the configuration it was trained with.
        size: side S of the square luminance that it takes, in pixels.
        digest: hex sha256 by which the model is known (see `model.saved_model.digest`).
        parameters: how many weights it has.
    """

    def __init__(self, path: str, name: str, size: int, digest: str, loaded: Any) -> None:
        self.path = path
        self.name = name
        self.size = size
        self.digest = digest
        # The signature reads variables that only the loaded object keeps alive.
        self._loaded = loaded
        self._predict = loaded.signatures["serving_default"]
        self.parameters = sum(int(np.prod(variable.shape)) for variable in self._predict.variables)

    @classmethod
    def load(cls, path: str, digest: str = "") -> Colorizer:
        """Load the SavedModel folder `path`, local or gs://, or one of `model.saved_model.SHIPPED`.

        Args:
            path: the folder.
            digest: that it had when the job was launched; "" when any will do.

        Raises:
            UserError: the folder is missing, is not one of ours, cannot be loaded, has another digest, or its signature
                `serving_default` is not luminance float32 ``[N, S, S, 1]`` → chroma float32 ``[N, S, S, 2]``.
        """
        return saved_model.read(path, lambda folder: cls._load(path, folder, digest))

    @classmethod
    def _load(cls, path: str, folder: str, digest: str) -> Colorizer:
        """Load the model of `path`, which is in `folder`; see `load`."""
        record = saved_model.check(path)
        try:
            with plain(folder) as place:
                loaded = tf.saved_model.load(place)
        except Exception as error:  # TensorFlow raises anything from OSError to KeyError on a damaged folder.
            with contextlib.suppress(OSError):  # Without all of its files it has no digest.
                _check_unchanged(path, folder, digest)
            raise UserError(f"model {path} cannot be loaded ({_first_line(error)}); export it again") from error
        size = _size(path, loaded.signatures.get("serving_default"))
        # After loading: files that were replaced meanwhile are noticed as well.
        return cls(path, str(record["name"]), size, _check_unchanged(path, folder, digest), loaded)

    def predict(self, luminance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chroma of a batch.

        Args:
            luminance: float32 ``[N, S, S, 1]`` with N of at least 1, L* / 100 in [0, 1].

        Returns:
            a and b in Lab units, float32 ``[N, S, S, 2]`` in (-128, 128).
        """
        chroma: NDArray[np.float32] = self._predict(luminance=tf.constant(luminance, tf.float32))["chroma"].numpy()
        return chroma * CHROMA_SCALE

    def colorize(self, pixels: Pixels, borders: Literal["ignore", "keep"] = "ignore") -> Pixels:
        """Colorize one photo as `autochrome colorize` does.

        Args:
            pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]`` with sides of at least 1, sRGB, upright; of colour,
                only the lightness is used.
            borders: ``ignore`` leaves the margin around a picture grey (`model.borders`); ``keep`` colours the whole
                frame.

        Returns:
            sRGB of the same type, ``[H, W, 3]``. L* is the photo's to within rounding.

        Raises:
            ValueError: the pixels have another shape or type, or ``borders`` is unknown.
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
        pixels = pixels if pixels.flags.c_contiguous else pixels.copy()
        picture = find(pixels) if borders == "ignore" else None
        seen = upsampling.model_luminance(seen_part(pixels, picture), self.size)
        chroma = self.predict(seen[None])[0]
        if not np.isfinite(chroma).all():
            raise UserError(f"model {self.path} predicts colours that are not finite numbers; train it again")
        return recolor_picture(pixels, chroma, picture, 8 * pixels.dtype.itemsize, seen)

    def __reduce__(self) -> tuple[Callable[[str], Colorizer], tuple[str]]:
        return Colorizer.load, (self.path,)


def _check_unchanged(path: str, folder: str, digest: str) -> str:
    """Return the digest of a model in a folder; UserError when it is not the expected one, where one is given."""
    found = saved_model.digest(folder)
    if digest and found != digest:
        raise UserError(f"the model in {path} changed while the job ran; start the job again")
    return found


def _size(path: str, signature: Any) -> int:
    """Return S if the signature is `luminance [N, S, S, 1] → chroma [N, S, S, 2]`, both float32."""
    inputs = signature.structured_input_signature[1] if signature is not None else {}
    outputs = signature.structured_outputs if signature is not None else {}
    found = f"{_describe(inputs)} → {_describe(outputs)}" if signature is not None else "none"
    if set(inputs) == {"luminance"} and isinstance(outputs, dict) and set(outputs) == {"chroma"}:
        taken, given = inputs["luminance"], outputs["chroma"]
        sizes = taken.shape.as_list()[1:3] if taken.shape.rank == 4 else [None, None]
        expected = ([None, *sizes, 1], [None, *sizes, 2])
        if (
            sizes[0] is not None
            and sizes[0] == sizes[1]
            and (taken.shape.as_list(), given.shape.as_list()) == expected
            and taken.dtype == given.dtype == tf.float32
        ):
            return int(sizes[0])
    raise UserError(
        f"model {path}: signature serving_default must be luminance float32 [N,S,S,1] → chroma float32 [N,S,S,2]; "
        f"found {found}"
    )


def _describe(specs: Any) -> str:
    if not isinstance(specs, dict):
        return type(specs).__name__
    return ", ".join(
        f"{name} {spec.dtype.name} [{','.join('N' if side is None else str(side) for side in spec.shape)}]"
        for name, spec in sorted(specs.items())
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
