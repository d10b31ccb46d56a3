"""The Dockerfile: read by a parser, its copies made and its own steps run as far as that goes without Docker."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

SHELL = "bash"


@pytest.fixture(scope="module")
def steps(repository) -> list[tuple[str, str]]:
    """Instructions in order: name and value."""
    parser = DockerfileParser(path=str(repository / "deploy" / "Dockerfile"))
    return [(one["instruction"], one["value"]) for one in parser.structure if one["instruction"] != "COMMENT"]


def of(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [value for name, value in steps if name == instruction]


def copies(steps: list[tuple[str, str]]) -> list[tuple[list[str], str]]:
    """Sources in the repository, and where they go."""
    words = [value.split() for value in of(steps, "COPY") if not value.startswith("--from")]
    return [(one[:-1], one[-1]) for one in words]


def test_bases_are_the_versions_that_are_locked(steps, repository):
    [beam] = re.findall(
        r"^apache-beam(?:\[gcp\])?==(\S+)", (repository / "requirements.lock").read_text(), re.MULTILINE
    )
    assert of(steps, "ARG")[0] == f"BEAM={beam}"
    assert beam == version("apache-beam")
    launcher, worker, *targets = of(steps, "FROM")
    assert "python311-template-launcher-base" in launcher
    assert worker == "apache/beam_python3.11_sdk:${BEAM} AS worker"
    assert targets == ["worker AS prepare", "worker AS colorize"]


def test_gpu_libraries_are_locked_to_the_same_tensorflow(repository):
    def tensorflow(name: str) -> list[str]:
        return re.findall(r"^tensorflow(?:\[and-cuda\])?==(\S+)", (repository / name).read_text(), re.MULTILINE)

    assert tensorflow("deploy/requirements-cuda.lock") == tensorflow("requirements.lock")
    assert "nvidia-cudnn" in (repository / "deploy" / "requirements-cuda.lock").read_text()


def test_one_image_is_worker_and_launcher(steps):
    assert of(steps, "ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    [taken] = [value.split() for value in of(steps, "COPY") if value.startswith("--from")]
    assert taken == ["--from=launcher", *2 * ["/opt/google/dataflow/python_template_launcher"]]
    environment = " ".join(of(steps, "ENV"))
    assert "FLEX_TEMPLATE_PYTHON_PY_FILE=/template/launch.py" in environment
    # Either of these would have the launcher, and every worker, install packages when it starts.
    assert "REQUIREMENTS_FILE" not in environment
    assert "SETUP_FILE" not in environment
    for command in ("prepare", "colorize"):
        assert f"AUTOCHROME_COMMAND={command} AUTOCHROME_IMAGE=${{IMAGE}}" in environment


def test_nothing_is_installed_that_is_not_locked(steps):
    for step in of(steps, "RUN"):
        for install in re.findall(r"pip install[^;&]*", step):
            assert "--no-deps" in install, install
            assert "--require-hashes" in install or "--no-build-isolation" in install, install


def test_what_is_copied_is_there(steps, repository):
    for sources, _ in copies(steps):
        for source in sources:
            assert (repository / source).exists(), source


def test_run_steps_are_sound_shell(steps, shellcheck):
    for step in of(steps, "RUN"):
        shellcheck("--shell=sh", "-", text=step)


def test_the_copied_files_install_and_launch(steps, repository, tmp_path):
    """The steps of the image, with this Python for the image's: copy, install without dependencies, launch."""
    context, template = tmp_path / "opt", tmp_path / "template"
    for sources, target in copies(steps):
        folder = template if target == "/template/" else context
        for source in map(repository.__truediv__, sources):
            if source.is_dir():
                shutil.copytree(source, context / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(exist_ok=True)
                shutil.copy(source, folder)
    [install] = [step for step in of(steps, "RUN") if step.endswith(" .")]
    site = tmp_path / "site"
    command = install.replace("pip install", f"{sys.executable} -m pip install --quiet --target={site}")
    run(command, context)
    environment = {"PYTHONPATH": str(site), "AUTOCHROME_COMMAND": "colorize", "AUTOCHROME_IMAGE": "image:1"}
    where = run(f"{sys.executable} -c 'import pipelines; print(pipelines.__file__)'", tmp_path, **environment)
    assert Path(where.strip()).is_relative_to(site)
    assert "--accelerator" in run(f"{sys.executable} {template}/launch.py --help", tmp_path, **environment)
    assert run(f"{sys.executable} {site}/bin/autochrome --version", tmp_path, **environment).startswith("autochrome ")


def run(command: str, folder: Path, **environment: str) -> str:
    """Runs a shell command in a folder; returns what it wrote."""
    done = subprocess.run(
        [SHELL, "-euc", command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
