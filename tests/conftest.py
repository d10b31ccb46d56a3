"""Real photographs for every test, those that ship inside scikit-image: as pixels, as files, as a tree for a job."""

import fcntl
import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import compiled_loops
import emulator
import kept_processes
import numpy as np
import process_memory
import pytest
import skimage.data
from hypothesis import settings
from PIL import Image

COLOUR = ("astronaut", "chelsea", "coffee", "rocket")
GREY = ("camera", "coins", "moon")
ORIENTATION = 0x0112

# JAX sets this to 1 where nothing is set, and TensorFlow imports it: commands under test would say more than users see.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
settings.register_profile("autochrome", deadline=None)  # machines differ; no test is about time
settings.load_profile("autochrome")


def pytest_configure(config: pytest.Config) -> None:
    """Takes SIGTERM for Ctrl-C, and hears Ctrl-C also in the background of a shell, which has processes ignore it."""
    compiled_loops.start(config)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without this, pytest would leave behind the processes of the test that runs when it is told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Holds the tests back until the loops are compiled, which takes no longer than collecting the tests."""
    compiled_loops.wait(node.config)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--engine names a runner for tests/conformance, --store a store for tests/stores; both may be repeated."""
    parser.addoption(
        "--engine", action="append", default=[], help="runner that tests/conformance takes the golden job to"
    )
    parser.addoption("--store", action="append", default=[], help="store that tests/stores runs against")


@pytest.fixture(scope="session", autouse=True)
def _processes_are_kept() -> Iterator[None]:
    """Hands the processes that open photos from one job to the next."""
    with kept_processes.kept():
        yield


@pytest.fixture(autouse=True)
def _jobs_are_forgotten() -> Iterator[None]:
    """Lets no job find what an earlier test left in the process."""
    yield
    process_memory.forget()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def photos() -> dict[str, np.ndarray]:
    """Colour photographs, uint8 [H, W, 3], by name."""
    return {name: getattr(skimage.data, name)() for name in COLOUR}


@pytest.fixture(scope="session")
def grey_photos() -> dict[str, np.ndarray]:
    """Grey photographs, uint8 [H, W], by name."""
    return {name: getattr(skimage.data, name)() for name in GREY}


def _encoded(pixels: np.ndarray | Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """The function that encodes pixels or a Pillow image: (pixels, format, **Pillow's save options) -> bytes."""
    return _encoded


@pytest.fixture(scope="session")
def photo_tree(tmp_path_factory, photos, grey_photos) -> Path:
    """A folder as users have them: colour photos in subfolders, grey ones, and files that are not photos.

    17 files: 10 of colour photos, 4 of grey ones, 3 that are not photos.
    """
    root = tmp_path_factory.mktemp("photos")
    for index, name in enumerate(COLOUR):
        folder = root / f"n0000000{index}"
        folder.mkdir()
        pixels = photos[name]
        (folder / f"{name} whole.JPEG").write_bytes(_encoded(pixels, "JPEG", quality=90))
        (folder / f"{name} [left].png").write_bytes(_encoded(pixels[:, :200], "PNG"))
        if index < 2:
            (folder / "rechts ü.tif").write_bytes(_encoded(pixels[:, 200:], "TIFF"))
    for name in GREY:
        (root / f"{name}.jpg").write_bytes(_encoded(grey_photos[name], "JPEG"))
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    (root / "scans" / "box 1").mkdir(parents=True)
    (root / "scans" / "box 1" / "turned.jpg").write_bytes(_encoded(grey_photos["coins"], "JPEG", exif=turned))
    (root / "broken").mkdir()
    (root / "broken" / "cut short.jpg").write_bytes(_encoded(photos["coffee"], "JPEG")[:9000])
    (root / "broken" / "empty.jpg").write_bytes(b"")
    (root / "broken" / "letter.jpg").write_text("Dear archive,\n")
    return root


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Path], object]], Path]:
    """The function that gives a folder of all processes that run tests: (its name, what makes it) -> folder.

    The first process that asks for it makes it. Tests only read it.
    """
    root = tmp_path_factory.getbasetemp()
    shared = root if worker_id == "master" else root.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, unfinished = shared / name, shared / f"{name}.part"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def saved_model_dir(made_once) -> str:
    """A SavedModel of the miniature network, its last layer enlarged so that it gives colours like a trained one."""
    return str(made_once("model", lambda folder: _write_model(str(folder / "saved_model"))) / "saved_model")


def _write_model(path: str) -> None:
    from model import export, networks
    from model.config import autoencoder, mini
    from tfrecords.description import Description

    config = mini(autoencoder())
    network = networks.build(config)
    kernel, bias = network.get_layer("chroma").get_weights()
    network.get_layer("chroma").set_weights([20 * kernel, bias + np.array([0.05, 0.1], np.float32)])
    description = Description(size=config.size, splits={}, settings={}, outcomes={})
    export.write(path, config, network.get_weights(), description, {})


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The name of an empty bucket of an emulator that speaks Cloud Storage's HTTP."""
    with emulator.running() as name:
        yield name
