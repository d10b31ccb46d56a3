"""The lock files: complete, with their extras, and installed in a way that takes nothing else from the index."""

import re
import subprocess
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DEVELOPMENT = "requirements.lock"
RUNTIME = "deploy/requirements-runtime.lock"
BUILD = "deploy/requirements-build.lock"
CUDA = "deploy/requirements-cuda.lock"


def locked(path: Path) -> list[Requirement]:
    """The requirements of a lock file, those of other platforms too."""
    lines = [line for line in path.read_text().splitlines() if re.match(r"[a-z0-9]", line, re.IGNORECASE)]
    return [Requirement(line.rstrip("\\ ")) for line in lines]


def chosen(path: Path) -> dict[str, Requirement]:
    """What a lock file installs on this machine, by name."""
    here = [one for one in locked(path) if one.marker is None or one.marker.evaluate()]
    return {canonicalize_name(one.name): one for one in here}


def asked(one: Requirement) -> list[Requirement]:
    """What a locked package needs on this machine, for its extras too; nothing if it is not installed here."""
    try:
        texts = requires(one.name) or []
    except PackageNotFoundError:
        return []
    needs = map(Requirement, texts)
    return [
        need
        for need in needs
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *one.extras))
    ]


@pytest.mark.parametrize("lock", [DEVELOPMENT, RUNTIME])
def test_a_lock_has_every_package_and_every_extra_that_its_packages_ask_for(repository, lock):
    there = chosen(repository / lock)
    needs = [(one, need) for one in there.values() for need in asked(one)]
    assert len(needs) > 300
    for one, need in needs:
        found = there.get(canonicalize_name(need.name))
        assert found is not None, f"{one.name} needs {need}"
        assert need.extras <= found.extras, f"{one.name} needs {need}"
        assert need.specifier.contains(next(iter(found.specifier)).version, prereleases=True), f"{one.name}: {need}"


def test_a_lock_names_a_package_once_on_every_platform(repository):
    for lock in (DEVELOPMENT, RUNTIME, BUILD, CUDA):
        names = [(canonicalize_name(one.name), str(one.marker)) for one in locked(repository / lock)]
        assert len(names) == len(set(names)), lock


def test_the_runtime_lock_is_the_tested_one_without_the_tools_of_the_tests(repository):
    tested, runtime = (set(map(str, locked(repository / lock))) for lock in (DEVELOPMENT, RUNTIME))
    assert runtime < tested
    names = {Requirement(line).name for line in runtime}
    assert names.isdisjoint({"pytest", "hypothesis", "mypy", "ruff", "playwright", "gcp-storage-emulator", "pyexiv2"})


def test_build_and_cuda_locks_have_the_versions_of_the_tests(repository):
    tested = {one.name: one.specifier for one in locked(repository / DEVELOPMENT)}
    for lock in (BUILD, CUDA):
        for one in locked(repository / lock):
            assert one.specifier == tested.get(one.name, one.specifier), f"{lock}: {one}"
    assert {one.name for one in locked(repository / BUILD)} >= {"setuptools", "wheel"}


def test_no_script_installs_a_package_that_no_lock_names(repository):
    names = {one.name for lock in (DEVELOPMENT, BUILD, CUDA) for one in locked(repository / lock)}
    scripts = [repository / "Makefile", repository / "deploy/Dockerfile", *(repository / "deploy").rglob("*.sh")]
    assert len(scripts) >= 4
    for script in scripts:
        text = re.sub(r"\\\n\s*", " ", script.read_text())
        for install in re.findall(r"pip install ([^;&\n]*)", text):
            for quoted in re.findall(r"""['"]([A-Za-z][\w.-]*)[^'"]*['"]""", install):
                assert quoted in names, f"{script.relative_to(repository)}: {quoted}"


@pytest.mark.parametrize("script", ["Makefile", "deploy/Dockerfile"])
def test_an_install_takes_what_is_locked_and_nothing_else(repository, script):
    text = re.sub(r"\\\n\s*", " ", (repository / script).read_text())
    text = text.replace("$(INSTALL)", "".join(re.findall(r"^INSTALL := (.*)$", text, re.MULTILINE)))
    installs = re.findall(r"pip install ([^;&\n]*--requirement[^;&\n]*)", text)
    assert len(installs) >= 2
    for install in installs:
        # Pip before 23.3 takes a package with an extra from the index, whatever the lock says.
        assert {"--no-deps", "--require-hashes"} <= set(install.split()), install
    # What comes without a wheel is built by locked tools, which come first.
    assert "requirements-build.lock" in installs[0]
    for install in installs[1:]:
        assert "--no-build-isolation" in install, install
    for install in re.findall(r"pip install ([^;&\n]* \.)$", text, re.MULTILINE):
        assert {"--no-deps", "--no-build-isolation"} <= set(install.split()), install
    assert "pip check" in text.replace("--disable-pip-version-check ", "") or script == "deploy/Dockerfile"


@pytest.mark.parametrize("python", ["no-such-python", "/bin/false"])
def test_a_machine_without_the_right_python_is_told_so(repository, tmp_path, python):
    ready = tmp_path / "environment" / ".ready"
    made = ["make", f"VENV={ready.parent}", f"PYTHON={python}", str(ready)]
    done = subprocess.run(made, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    told = "Autochrome needs Python 3.11 or 3.12. Name one: make PYTHON=/path/to/python3.11"
    assert told in done.stderr.splitlines()
    assert not ready.parent.exists()
