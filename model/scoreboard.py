"""The scoreboard: models on the same held-out pictures, with two rows that put their figures into perspective.

`GREY` is no colour at all (ab = 0), which metrics that reward caution flatter. The ceiling of a model is the truth with
its ab averaged to the side at which the model computes chroma (its grid) and brought up bilinearly: it is about as good
as the model could be. Models of the same grid share one row. Pictures that are themselves grey are left out and
counted: on them doing nothing is right.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model import saved_model
from model.config import Config
from tfrecords import color
from tfrecords.errors import UserError

if TYPE_CHECKING:
    from model.colorizer import Colorizer

GREY = "grey"
CEILING = "truth at {} px"
GREY_CHROMA = 2.0
"""Mean chroma up to which a picture counts as grey, in Lab units; 2.3 is the just noticeable difference."""
BATCH = 16
PICTURES = 8
"""Rows of the sheet."""
HEADING = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the scoreboard.

    Attributes:
        name: of the configuration; with the path where two models share it.
        scores: figures by name (see `model.metrics.Scores.to_dict`).
        model: what is known of the model: path, name, digest, parameters, grid, images_per_s; of a ceiling its grid;
            empty for `GREY`.
    """

    name: str
    scores: dict[str, float]
    model: dict[str, Any] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {"row": self.name, **self.model, **self.scores}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scoreboard:
    """The scores of models on one split.

    Attributes:
        rows: the models in the order given, then a ceiling for each of their grids, finest first, and `GREY`.
        images: pictures that were scored.
        grey_images: pictures that were left out.
        sheet: the first pictures, sRGB uint8 ``[H, W, 3]``: L, each model, the truth, side by side.
        recognition: what `model.recognition` says of the truth, and `labelled` and `features`, the numbers of pictures
            for top-1 and FD-Lite; {} without the published classifier.
    """

    rows: list[Row]
    images: int
    grey_images: int
    sheet: NDArray[np.uint8]
    recognition: dict[str, float]


def score(
    colorizers: Sequence[Colorizer], data_dir: str, split: str, on_images: Callable[[int], None] = lambda done: None
) -> Scoreboard:
    """Score colorizers on the stored examples of a split, at their stored size.

    Args:
        colorizers: the models.
        data_dir: output folder of `prepare`.
        split: train or validation.
        on_images: called after each batch with the number of pictures done.

    Raises:
        UserError: the data folder is none, the split is empty or only grey, or its pictures are not of the colorizers'
            size; or a shard is damaged.
    """
    from model import classifier
    from model.metrics import Scores
    from model.recognition import TRUTH, Recognition
    from tfrecords import dataset

    description = dataset.read_description(data_dir)
    size = description.size
    for colorizer in colorizers:
        if size != colorizer.size:
            raise UserError(
                f"{data_dir} holds pictures of {size} px and model {colorizer.path} takes {colorizer.size} px; "
                f"prepare with --size={colorizer.size}"
            )
        colorizer.predict(np.zeros([BATCH, size, size, 1], np.float32))  # The first call prepares the graph.
    names = _names(colorizers)
    grids = [_grid(colorizer) for colorizer in colorizers]
    ceilings = {CEILING.format(grid): grid for grid in sorted({grid for grid in grids if grid}, reverse=True)}
    scores = {name: Scores() for name in (*names, *ceilings, GREY)}
    seconds, images, grey_images = dict.fromkeys(names, 0.0), 0, 0
    strips: list[NDArray[np.uint8]] = []
    judge = Recognition(classifier.Classifier, description.count(split)) if classifier.installed() else None
    for luminance, chroma, synsets in _batches(data_dir, split):
        predicted = {}
        for name, colorizer in zip(names, colorizers, strict=True):
            begun = time.perf_counter()
            predicted[name] = colorizer.predict(luminance)
            seconds[name] += time.perf_counter() - begun
        images += len(luminance)
        versions: dict[str, list[color.Bytes]] = {name: [] for name in (*scores, TRUTH)}
        labels: list[str] = []
        for index, (lightness, ab) in enumerate(
            zip(luminance * np.float32(100), chroma * np.float32(128), strict=True)
        ):
            if np.linalg.norm(ab, axis=-1).mean() <= GREY_CHROMA:
                grey_images += 1
                continue
            made = {name: _rgb(lightness, predicted[name][index]) for name in names}
            made |= {name: _rgb(lightness, _on_grid(ab, grid)) for name, grid in ceilings.items()}
            made[GREY] = _rgb(lightness, np.zeros_like(ab))
            truth = _rgb(lightness, ab)
            for name, image in made.items():
                scores[name].add(truth, image)
            if len(strips) < PICTURES:
                strips.append(np.concatenate([made[GREY], *(made[name] for name in names), truth], axis=1))
            for name, image in (made | {TRUTH: truth}).items():
                versions[name].append(image)
            labels.append(synsets[index].decode())
        if judge:
            judge.add(versions, labels)
        on_images(images)
    if images == grey_images:
        raise UserError(f"{data_dir}: all {images} {split} pictures are grey; there is nothing to score")
    figures = {name: one.to_dict() | (judge.scores(name) if judge else {}) for name, one in scores.items()}
    rows = [
        Row(name=name, scores=figures[name], model=_facts(colorizer, grid, images / seconds[name]))
        for name, colorizer, grid in zip(names, colorizers, grids, strict=True)
    ]
    rows += [Row(name=name, scores=figures[name], model={"grid": grid}) for name, grid in ceilings.items()]
    rows.append(Row(name=GREY, scores=figures[GREY]))
    sheet = np.concatenate([_heading(["L", *names, "truth"], size), *strips], axis=0)
    counts = {"labelled": judge.labelled, "features": judge.images} if judge else {}
    recognised = counts | (judge.scores(TRUTH) if judge else {})
    return Scoreboard(
        rows=rows, images=images - grey_images, grey_images=grey_images, sheet=sheet, recognition=recognised
    )


def _batches(data_dir: str, split: str) -> Iterator[tuple[Any, Any, Any]]:
    """Yield luminance, chroma and WordNet ids."""
    import tensorflow as tf

    from tfrecords import dataset

    pairs, synsets = dataset.load(data_dir, split), dataset.synsets(data_dir, split)
    examples = tf.data.Dataset.zip(pairs, synsets).map(lambda pair, synset: (*pair, synset))
    with dataset.damage_named(data_dir):
        yield from examples.batch(BATCH).as_numpy_iterator()


def _names(colorizers: Sequence[Colorizer]) -> list[str]:
    names = [colorizer.name for colorizer in colorizers]
    return [
        name if names.count(name) == 1 else f"{name} ({colorizer.path})"
        for name, colorizer in zip(names, colorizers, strict=True)
    ]


def _grid(colorizer: Colorizer) -> int | None:
    """Return the side at which a model computes chroma; None for a network or a configuration unknown here."""
    from model import networks

    try:
        return networks.grid(Config.from_dict(saved_model.check(colorizer.path)["config"]))
    except (KeyError, UserError):
        return None


def _facts(colorizer: Colorizer, grid: int | None, images_per_s: float) -> dict[str, Any]:
    return {
        "path": colorizer.path,
        "name": colorizer.name,
        "digest": colorizer.digest,
        "parameters": colorizer.parameters,
        "grid": grid,
        "images_per_s": images_per_s,
    }


def _rgb(lightness: color.Floats, ab: color.Floats) -> color.Bytes:
    return color.lab_to_srgb(np.concatenate([lightness, ab], axis=-1))


def _on_grid(ab: color.Floats, grid: int) -> color.Floats:
    side = ab.shape[0]
    small = cv2.resize(ab, (grid, grid), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _heading(titles: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Return a white strip with a title above each column of `width` px."""
    columns = []
    for title in titles:
        column = np.full((HEADING, width, 3), 255, np.uint8)
        cv2.putText(column, title, (4, HEADING - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        columns.append(column)
    return np.concatenate(columns, axis=1)
