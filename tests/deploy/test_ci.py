"""The example for continuous integration: read as GitHub reads it, its commands are those of the Makefile."""

import re
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def workflow(repository) -> dict[Any, Any]:
    return yaml.safe_load((repository / "deploy" / "ci" / "github-weekly.yml").read_text())


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_each_change_is_tested_and_each_week_an_installation(workflow):
    when = workflow[True]  # YAML 1.1 reads `on` as a truth
    assert {"push", "pull_request", "schedule"} <= set(when)
    [every] = when["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", every["cron"])
    assert commands(workflow["jobs"]["test"]) == ["make test"]
    assert commands(workflow["jobs"]["install"]) == ["make test-install"]
    assert "schedule" in workflow["jobs"]["install"]["if"]
    assert workflow["permissions"] == {"contents": "read"}


def test_the_commands_are_those_of_the_makefile_and_of_the_readme(workflow, repository):
    makefile, readme = (repository / "Makefile").read_text(), (repository / "README.md").read_text()
    for job in workflow["jobs"].values():
        for command in commands(job):
            assert re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE)
    assert "    make test " in readme
    assert (repository / ".ci" / "run").read_text().splitlines()[-1] == "make test"


def test_both_pythons_are_set_up_for_the_installation(workflow):
    [setup] = [step for step in workflow["jobs"]["install"]["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"].split() == ["3.12", "3.11"]
    uses = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", one) for one in uses)
