"""A fresh machine: installs as the Makefile, the image and `pip install .` do, with old and new pips, and colorizes.

`make test-install` runs it; it downloads gigabytes and takes half an hour. Python 3.12 is tested where it is found: as
``python3.12``, under ``PYTHON312``, or in pyenv.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
# The pips of Python 3.11.0 and 3.12.0.
OLDEST = {"3.11": "pip==22.3", "3.12": "pip==23.2.1"}
NEWEST = "--upgrade pip"


def found(version: str) -> str | None:
    """A Python of that version that starts; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [os.environ.get(f"PYTHON{version.replace('.', '')}"), shutil.which(f"python{version}")]
    for python in [*named, *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]:
        # What pyenv puts into PATH may lead nowhere.
        tell = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if python and subprocess.run(tell, capture_output=True, text=True, check=False).stdout.strip() == version:
            return python
    return None


PYTHONS = {version: python for version in OLDEST if (python := found(version))}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """What a clone of the repository has, at a place of its own."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture
def environment(tmp_path) -> Iterator[Path]:
    """Where a virtual environment is made and removed: each has two gigabytes."""
    yield tmp_path / "environment"
    shutil.rmtree(tmp_path / "environment", ignore_errors=True)  # it may not have been made


def run(command: str, folder: Path) -> None:
    """Runs a shell command as a user would, without what pytest needed; shows what it says if it fails."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "VIRTUAL"))
    }
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def colorizes(environment: Path, tmp_path: Path) -> bool:
    """Whether the command that was installed makes a photo in colour, with nothing around it that could help."""
    home, photos = tmp_path / "home", tmp_path / "photos"
    home.mkdir()
    photos.mkdir()
    rows, columns = np.mgrid[:300, :400]
    Image.fromarray(((np.hypot(rows - 150, columns - 200) + columns) % 256).astype(np.uint8)).save(photos / "a.png")
    command = [str(environment / "bin" / "autochrome"), "colorize", "--input=photos", "--output=colour"]
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = np.asarray(Image.open(tmp_path / "colour" / "a.png")).astype(int)
    assert made.shape == (300, 400, 3)
    return bool(np.ptp(made, axis=-1).max() > 0)


def with_pip(environment: Path, pip: str) -> str:
    """The command that puts another pip into an environment."""
    return f"{environment}/bin/python -m pip install --quiet --disable-pip-version-check {pip}"


def test_the_oldest_python_is_here():
    assert "3.11" in PYTHONS, "name a Python 3.11: make test-install PYTHON311=/path/to/python3.11"
    print(PYTHONS, file=sys.stderr)


@pytest.mark.parametrize("pip", ["oldest", "newest"])
@pytest.mark.parametrize("version", PYTHONS)
def test_make_installs_what_is_locked(checkout, environment, tmp_path, version, pip):
    """The very commands of `make demo` and `make test`, with another pip from the start on."""
    dry = ["make", "--no-print-directory", "--dry-run", "--always-make"]
    told = [*dry, f"VENV={environment}", f"PYTHON={PYTHONS[version]}"]
    recipe = subprocess.run(
        [*told, f"{environment}/.ready"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    [made] = [index for index, line in enumerate(recipe) if " -m venv " in line]
    recipe.insert(made + 1, with_pip(environment, OLDEST[version] if pip == "oldest" else NEWEST))
    assert sum(" install " in line for line in recipe) == 4
    for command in recipe:
        run(command, checkout)
    assert colorizes(environment, tmp_path)


@pytest.mark.parametrize("version", PYTHONS)
def test_pip_installs_it_without_the_lock(checkout, environment, tmp_path, version):
    run(f"{shlex.quote(PYTHONS[version])} -m venv {environment}", checkout)
    run(f"{environment}/bin/pip install --quiet .", checkout)
    run(f"{environment}/bin/pip check", checkout)
    assert colorizes(environment, tmp_path)


def test_the_image_has_what_it_needs(checkout, environment, tmp_path):
    """The steps of the Dockerfile that install, in an environment for the image's Python."""
    text = re.sub(r"\\\n\s*", "", (checkout / "deploy" / "Dockerfile").read_text())
    steps = [step for step in re.findall(r"^RUN (.*)$", text, re.MULTILINE) if "pip " in step]
    assert len(steps) == 4
    run(f"{shlex.quote(PYTHONS['3.11'])} -m venv {environment}", checkout)
    for step in steps:
        run(f'export CUDA="" PATH="{environment}/bin:$PATH"; cp deploy/*.lock .; {step}', checkout)
    assert colorizes(environment, tmp_path)
