"""The golden job: one tree of photos, one model, what they become in one process; and the table of all runners."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engines
import numpy as np
import pytest
import scoreboard
from engines import Engine
from jobs import Made

_CROP = 120
_CROPS = 12
_GUIDED = 2  # of each photo


def _chosen(config: pytest.Config) -> list[Engine]:
    """The runners asked for, else those that need nothing fetched."""
    return [engines.BY_NAME[name] for name in config.getoption("engine")] or list(engines.LOCAL)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrizes by runner."""
    chosen = _chosen(metafunc.config)
    for fixture, those in (("engine", chosen), ("pooled_engine", [one for one in chosen if one.pooled])):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, those, ids=lambda engine: engine.name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out the kills where no runner has workers that can be killed one by one."""
    kills = collection_path.name == "test_killed_worker.py"
    return True if kills and not any(engine.pooled for engine in _chosen(config)) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands the table's lines to the process that prints them, where tests run in several."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["conformance"] = session.config.stash.get(scoreboard.ROWS, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes the table's lines from a process that ran tests and has ended."""
    rows = getattr(node, "workeroutput", {}).get("conformance", [])
    node.config.stash.setdefault(scoreboard.ROWS, []).extend(rows)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the conformance table."""
    rows = terminalreporter.config.stash.get(scoreboard.ROWS, [])
    if rows:
        terminalreporter.section("conformance")
        terminalreporter.write_line(scoreboard.table(rows))


@pytest.fixture(scope="session")
def golden_tree(
    tmp_path_factory: pytest.TempPathFactory,
    photos: dict[str, np.ndarray],
    photo_tree: Path,
    encoded: Callable[..., bytes],
) -> Path:
    """67 files: some in a tar, one there twice, one tiny, three broken; the grey ones among them teach nothing."""
    root = tmp_path_factory.mktemp("golden") / "photos"
    for path in sorted(path for path in photo_tree.rglob("*") if path.is_file()):
        target = root / path.relative_to(photo_tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (root / "again.jpg").write_bytes((root / "moon.jpg").read_bytes())
    (root / "tiny.png").write_bytes(encoded(photos["coffee"][:20, :20], "PNG"))
    with tarfile.open(root / "crops.tar", "w") as tar:
        for name, data in _crops(photos, encoded):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return root


def _crops(photos: dict[str, np.ndarray], encoded: Callable[..., bytes]) -> Iterator[tuple[str, bytes]]:
    for name, pixels in photos.items():
        rows, columns = pixels.shape[0] - _CROP, pixels.shape[1] - _CROP
        for index in range(_CROPS):
            top, left = index * rows // _CROPS, 17 * index % columns
            yield f"{name}/{index}.jpg", encoded(pixels[top : top + _CROP, left : left + _CROP], "JPEG", quality=92)


@pytest.fixture(scope="session")
def golden_guided(
    tmp_path_factory: pytest.TempPathFactory, photos: dict[str, np.ndarray], encoded: Callable[..., bytes]
) -> Path:
    """8 photos, of which 3 have hints, 2 meet a rule with a palette and 1 a rule with a model; and a reference."""
    root = tmp_path_factory.mktemp("golden_guided")
    for name, data in _crops(photos, encoded):
        if int(Path(name).stem) < _GUIDED:
            (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "photos" / name).write_bytes(data)
    names = sorted(path.relative_to(root / "photos") for path in (root / "photos").rglob("*.jpg"))
    points = "".join(f"{name},0.{index + 1},0.5,0.1,#a06080\n" for index, name in enumerate(names[::3]))
    (root / "hints.csv").write_text(f"path,x,y,radius,color\n{points}")
    (root / "warm.txt").write_text("#c86432 #f0dca0 #405060")
    (root / "street.png").write_bytes(encoded(photos["coffee"], "PNG"))
    (root / "rules.toml").write_text(
        f'[[rule]]\nmatch = "{names[1].parent}/**"\npalette = "warm.txt"\n'
        f'[[rule]]\nmatch = "{names[-1]}"\nmodel = "released"\nsaturation = 1.5\n'
    )
    return root


@pytest.fixture(scope="session")
def golden_flags(golden_tree: Path, golden_guided: Path, saved_model_dir: str) -> dict[str, tuple[str, ...]]:
    """What each job is told but for its output folder."""
    guidance = [
        f"--hints={golden_guided / 'hints.csv'}",
        f"--reference={golden_guided / 'street.png'}",
        f"--rules={golden_guided / 'rules.toml'}",
    ]
    return {
        "prepare": (f"--input={golden_tree}", "--size=64", "--num_shards=8", "--validation_percent=20"),
        "colorize": (f"--input={golden_tree}", f"--model={saved_model_dir}"),
        "guided": (f"--input={golden_guided / 'photos'}", f"--model={saved_model_dir}", *guidance),
    }


@pytest.fixture(scope="session")
def run(golden_flags, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> scoreboard.Runs:
    """Runs a golden job on a runner, once, and keeps what it made for the table."""
    rows = request.config.stash.setdefault(scoreboard.ROWS, [])
    return scoreboard.Runs(golden_flags, tmp_path_factory.mktemp("made"), rows)


@pytest.fixture(scope="session")
def reference(run: scoreboard.Runs) -> Callable[[str], Made]:
    """What a golden job makes in one process."""
    return lambda job: run(engines.REFERENCE, job)
