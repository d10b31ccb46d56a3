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
RUNTIME = "deploy/requirements-runtime.lock"


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
    [beam] = re.findall(r"^apache-beam\[gcp\]==(\S+)", (repository / RUNTIME).read_text(), re.MULTILINE)
    images = dict(value.split("=", 1) for value in of(steps, "ARG") if "_IMAGE=" in value)
    # With or without the digest that deploy/pin.sh adds.
    assert re.fullmatch(rf"apache/beam_python3\.11_sdk:{beam}(@sha256:\w+)?", images["BEAM_IMAGE"])
    assert images["PYTHON_IMAGE"].startswith("python:3.11-slim")
    assert "/python311-template-launcher-base:" in images["LAUNCHER_IMAGE"]
    assert beam == version("apache-beam")
    bases = ["${BEAM_IMAGE} AS beam", "${LAUNCHER_IMAGE} AS launcher", "${PYTHON_IMAGE} AS base", "base AS train"]
    assert of(steps, "FROM") == [*bases, "base AS dataflow", "dataflow AS prepare", "dataflow AS colorize"]


def test_gpu_libraries_are_locked_to_the_same_tensorflow(repository):
    def tensorflow(name: str) -> list[str]:
        return re.findall(r"^tensorflow(?:\[and-cuda\])?==(\S+)", (repository / name).read_text(), re.MULTILINE)

    assert tensorflow("deploy/requirements-cuda.lock") == tensorflow("requirements.lock")
    assert "nvidia-cudnn" in (repository / "deploy" / "requirements-cuda.lock").read_text()


def test_one_image_is_worker_and_launcher(steps):
    assert of(steps, "ENTRYPOINT")[-1] == '["/opt/autochrome/as_autochrome.sh", "/opt/apache/beam/boot"]'
    taken = [value.split() for value in of(steps, "COPY") if value.startswith("--from")]
    launcher = "/opt/google/dataflow/python_template_launcher"
    assert taken == [["--from=beam", *2 * ["/opt/apache/beam"]], ["--from=launcher", launcher, launcher]]
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


def test_no_image_works_as_root(steps):
    """`train` starts as another user; the images for Dataflow have to start as root, and step down."""
    names = [name for name, _ in steps]
    train = steps[steps.index(("FROM", "base AS train")) : steps.index(("FROM", "base AS dataflow"))]
    assert ("USER", "10001") in train
    assert ("ENTRYPOINT", '["autochrome"]') in train
    assert names.count("USER") == 1
    [user] = [step for step in of(steps, "RUN") if "useradd" in step]
    assert user.endswith(" --uid 10001 autochrome")
    assert "AUTOCHROME_USER=autochrome" in " ".join(of(steps, "ENV"))


@pytest.mark.parametrize("root", [True, False])
def test_a_worker_that_starts_as_root_steps_down(repository, stand_in, root):
    for name in ("mkdir", "chown", "setpriv", "boot"):
        environment = stand_in(name, f'echo "{name} $* HOME=$HOME"')
    environment = stand_in("id", f"echo {0 if root else 10001}")
    home = environment["HOME"]
    script = str(repository / "deploy" / "dataflow" / "as_autochrome.sh")
    command = [script, "boot", "--id=1", "--semi_persist_dir=/var/opt/google"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    if root:
        assert told == [
            f"mkdir -p /var/opt/google HOME={home}",
            f"chown autochrome: /var/opt/google HOME={home}",
            "setpriv --reuid=autochrome --regid=autochrome --init-groups -- "
            "boot --id=1 --semi_persist_dir=/var/opt/google HOME=/home/autochrome",
        ]
    else:
        assert told == [f"boot --id=1 --semi_persist_dir=/var/opt/google HOME={home}"]


def test_base_images_are_pinned_by_digest_with_one_command(repository, stand_in, tmp_path):
    dockerfile = tmp_path / "Dockerfile"
    shutil.copy(repository / "deploy" / "Dockerfile", dockerfile)
    script = str(repository / "deploy" / "pin.sh")
    for digit in "ab":  # again, for newer images
        digest = f"sha256:{64 * digit}"
        environment = stand_in("docker", f'[[ $* == *@* ]] && exit 1; echo "{digest}"') | {
            "DOCKERFILE": str(dockerfile)
        }
        subprocess.run([script], env=environment, capture_output=True, check=True)
        before, after = (path.read_text().splitlines() for path in (repository / "deploy" / "Dockerfile", dockerfile))
        changed = [new for old, new in zip(before, after, strict=True) if old != new]
        assert len(changed) == 3
        for old, new in zip(before, after, strict=True):
            assert new == (f"{old.partition('@')[0]}@{digest}" if re.match(r"ARG \w+_IMAGE=", old) else old)
    environment = stand_in("docker", "echo unauthorized") | {"DOCKERFILE": str(dockerfile)}
    ended = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, dockerfile.read_text().splitlines()) == (1, after)


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
    assert "--accelerator" in run(f"{sys.executable} {template}/launch.py --help_all", tmp_path, **environment)
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
