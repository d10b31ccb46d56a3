"""The contracts of pyproject.toml hold, and each of them fails when it is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("autochrome", "pipelines", "model", "tfrecords")
BROKEN = """
Packages import one way: tfrecords/shards.py: import model.film
Rooms of pipelines import one way: pipelines/report.py: import pipelines.inspect
Model and records do without Beam: model/film.py: import apache_beam
Images do without Beam and storage: pipelines/images/icc.py: import google.cloud.storage
Processes that open photos do without Beam and TensorFlow: pipelines/viewer/pictures.py: import tensorflow
"""


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(repository / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def broken(tree: Path) -> set[str]:
    """The names of the contracts that a tree breaks."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    run = subprocess.run(command, cwd=tree, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False)
    names = {line.removesuffix(" BROKEN") for line in run.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (run.returncode == 0) == (not names), run.stdout + run.stderr
    return names


def test_imports_point_one_way(tree):
    assert broken(tree) == set()


def test_a_new_room_needs_a_place_in_the_contract(tree):
    (tree / "pipelines" / "attic.py").touch()
    assert broken(tree) == {"Rooms of pipelines import one way"}


def test_each_contract_fails_when_it_is_broken(tree):
    breaks = [line.split(": ") for line in BROKEN.strip().splitlines()]
    for _, file, statement in breaks:
        with (tree / file).open("a") as module:
            module.write(f"\n{statement}\n")
    assert broken(tree) == {contract for contract, _, _ in breaks}
