"""Pictures of packs for training on JAX: in the memory of the devices where they fit, else decoded while it trains."""

from __future__ import annotations

import collections
import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from model import draws, packs
from model.config import Config
from tfrecords import color
from tfrecords.errors import UserError

VALIDATION_EXAMPLES = 2048
"""Held-out pictures that training validates on, the first ones, as in `model.inputs`."""
PART_OF_MEMORY = 0.4
"""Of a device's memory, what pictures may take."""
HOST_BYTES = 2**30
"""What they may take where the device does not tell its memory, as CPUs do not."""

Codes = NDArray[np.uint8]


def describe(folder: str, config: Config) -> packs.Contents:
    """Return the contents of packs that `config` can be trained on.

    Raises:
        UserError: there are none, they hold no training pictures, or these are smaller than the network sees.
    """
    contents = packs.describe(folder)
    if not contents.count("train"):
        raise UserError(f"{folder} has no training pictures; prepare more photos and pack them")
    if contents.size < config.resolution:
        raise UserError(
            f"{folder} holds pictures of {contents.size} px, and configuration {config.name} sees "
            f"{config.resolution} px; pack with --side={config.resolution} or more"
        )
    return contents


def codes(picture: bytes, side: int) -> Codes:
    """Return a picture in WebP as codes of L, a and b, reduced to a side: uint8 ``[side, side, 3]``."""
    lab = color.srgb_to_lab(packs.decode(picture))
    luminance = color.quantize_luminance(np.ascontiguousarray(lab[..., 0]))
    chroma = color.quantize_chroma(np.ascontiguousarray(lab[..., 1:]))
    found = np.dstack([luminance, chroma])
    if len(found) == side:
        return found
    return np.asarray(cv2.resize(found, (side, side), interpolation=cv2.INTER_AREA))


def decoded(pictures: Sequence[bytes], side: int) -> Codes:
    """Return pictures as codes, uint8 ``[n, side, side, 3]``."""
    found = np.empty((len(pictures), side, side, 3), np.uint8)

    def fill(place: int) -> None:
        found[place] = codes(pictures[place], side)

    with ThreadPoolExecutor() as pool:
        collections.deque(pool.map(fill, range(len(pictures))), maxlen=0)
    return found


def validation(folder: str, contents: packs.Contents, config: Config) -> Codes:
    """Return the pictures that training validates on, of the side that the network sees."""
    pictures = packs.read(folder, contents, "validation")[:VALIDATION_EXAMPLES]
    return decoded(pictures, config.resolution)


class Training:
    """The endless stream of training pictures. Each pass over them has an order of its own; none is left out.

    Attributes:
        count: of the pictures.
    """

    def __init__(
        self, folder: str, contents: packs.Contents, config: Config, most_steps: int, memory: int | None
    ) -> None:
        """Read the packs.

        Args:
            folder: of the packs.
            contents: what it holds.
            config: gives the resolution, the crops, the batch size and the seed.
            most_steps: that are taken at once.
            memory: bytes of a device; None where it is not known.
        """
        self._folder = folder
        self._contents = contents
        self._config = config
        self._most = most_steps
        # If the pictures are large enough, the smallest crop has the network's side.
        self._side = min(contents.size, math.ceil(config.resolution / config.crop))
        self._pictures = packs.read(folder, contents, "train")
        self.count = len(self._pictures)
        limit = HOST_BYTES if memory is None else PART_OF_MEMORY * memory
        self._fits = self.count * self._side**2 * 3 <= limit
        self._orders: dict[int, NDArray[np.int64]] = {}
        self._threads = ThreadPoolExecutor()
        self._ahead: dict[int, Future[Codes]] = {}

    def resident(self) -> Codes | None:
        """Return all pictures, if they fit into the memory of a device; else None, and `streamed` gives them."""
        return decoded(self._pictures, self._side) if self._fits else None

    def places(self, first: int) -> NDArray[np.int32]:
        """Return the numbers of the pictures of steps from `first` on, ``[most_steps, batch_size]``."""
        return np.stack([self._places(step) for step in range(first, first + self._most)]).astype(np.int32)

    def stream(self, first: int) -> NDArray[np.uint32]:
        """Return the places in the stream of the examples of these steps, ``[most_steps, batch_size, 2]``."""
        size = self._config.batch_size
        places = np.arange(first * size, (first + self._most) * size, dtype=np.int64)
        return draws.halves(places).reshape(self._most, size, 2)

    def _places(self, step: int) -> NDArray[np.int64]:
        size = self._config.batch_size
        passes, offsets = np.divmod(np.arange(step * size, (step + 1) * size), self.count)
        for old in [number for number in self._orders if number < passes[0]]:
            del self._orders[old]
        return np.array([self._order(int(one))[offset] for one, offset in zip(passes, offsets, strict=True)])

    def _order(self, number: int) -> NDArray[np.int64]:
        """Return the order of a pass."""
        if number not in self._orders:
            drawn = np.random.Generator(np.random.Philox(key=[self._config.seed, number]))
            self._orders[number] = drawn.permutation(self.count)
        return self._orders[number]

    def streamed(self, first: int, count: int) -> Codes:
        """Return the pictures of `count` steps from `first` on, ``[most_steps * batch_size, S, S, 3]``, 0 behind them.

        Those of the steps after them are decoded in the background meanwhile.
        """
        for step in range(first, first + 2 * self._most):
            if step not in self._ahead:
                self._ahead[step] = self._threads.submit(self._step, self._places(step))
        size = self._config.batch_size
        found = np.zeros((self._most * size, self._side, self._side, 3), np.uint8)
        for number in range(count):
            found[number * size : (number + 1) * size] = self._ahead.pop(first + number).result()
        return found

    def _step(self, places: NDArray[np.int64]) -> Codes:
        return np.stack([codes(self._pictures[place], self._side) for place in places])

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def names(self, step: int) -> list[str]:
        """Return where the pictures of a step are: file, and number in it."""
        files = [(file.name, number) for file in self._contents.splits["train"] for number in range(file.count)]
        return ["{} {}".format(*files[place]) for place in self._places(step)]


def evenly(count: int, size: int) -> list[tuple[NDArray[np.int32], int]]:
    """Return the places of `count` pictures in batches of one size, and how many of each batch count."""
    whole = np.arange(-(-count // size) * size, dtype=np.int32)
    return [
        (np.minimum(whole[first : first + size], max(count - 1, 0)), min(size, count - first))
        for first in range(0, count, size)
    ]
