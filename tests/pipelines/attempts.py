"""One photo through all stages in the process of a test, with a model that the test makes up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines.archive.context import Context
from pipelines.archive.manifest import Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.render import render
from pipelines.files.sources import Source
from pipelines.runtime.photo_process import PhotoProcesses


def photo_of(path: Path) -> NamedSource:
    source = Source(uri=str(path), name=path.name, size=path.stat().st_size, fingerprint="1-1")
    return NamedSource(source=source, own=source.name, stem=source.name)


PROCESSES = PhotoProcesses(render)


def context(predict, made: dict[str, bytes], format_: str = "keep", **more: Any) -> Context:
    def save(record: Record, files: dict[str, bytes]) -> Record:
        made.update(files)
        return record

    settings = Settings(format=format_, **more)
    return Context(
        recipe=Recipe(model="mini", model_digest="0" * 64, settings=settings, settings_digest=settings.digest()),
        size=32,
        predict=lambda luminance, hints: predict(luminance),
        save=save,
        processes=PROCESSES,
        load=lambda model: pytest.fail(f"{model} is not wanted"),
    )


def green(luminance: np.ndarray) -> np.ndarray:
    assert luminance.shape == (1, 32, 32, 1)
    return np.broadcast_to(np.array([-20, 20], np.float32), (1, 32, 32, 2))


def never(luminance: np.ndarray) -> np.ndarray:
    raise AssertionError


def paged(path: Path, pages: list[np.ndarray]) -> None:
    images = [Image.fromarray(page) for page in pages]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
