"""The example of continuous delivery: build, a canary of 50 photos, then the schedule; and back to an older tag."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

GCLOUD = """
echo "$@" >> "$HOME/asked"
case "$*" in
  *flex-template*) echo 2026-11-26_job ;;
  *describe*) sed -n "$(grep -c describe "$HOME/asked")p" "$HOME/states" ;;
  *report.json) cat "$HOME/report.json" ;;
esac
"""
ASKED = ["p", "europe-west1", "bucket", "v7", "gs://in/scans", "regions/r/subnetworks/s"]


@pytest.fixture
def canary(repository, stand_in, tmp_path):
    """The function that runs the canary against a job with these states and outcomes."""

    def run(states: list[str], outcomes: dict[str, int]) -> tuple[int, list[str]]:
        (tmp_path / "states").write_text("".join(f"JOB_STATE_{state}\n" for state in states))
        (tmp_path / "report.json").write_text(json.dumps({"outcomes": outcomes}))
        environment = stand_in("gcloud", GCLOUD) | {"CANARY_SLEEP": "0"}
        script = str(repository / "deploy" / "ci" / "canary.sh")
        done = subprocess.run([script, *ASKED], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, (tmp_path / "asked").read_text().splitlines()

    return run


def test_a_canary_that_colorizes_its_photos_passes(canary, repository):
    code, asked = canary(["PENDING", "RUNNING", "DONE"], {"written": 40, "skipped": 5, "unreadable": 5})
    assert code == 0
    assert len(asked) == 5
    [parameters] = re.findall(r"--parameters=(\S+)", asked[0])
    told = dict(one.split("=", 1) for one in parameters.split(","))
    assert told == {"input": "gs://in/scans", "output": "gs://bucket/tmp/canary/v7", "sample": "50"}
    template = json.loads((repository / "deploy" / "dataflow" / "colorize.json").read_text())
    assert set(told) <= {one["name"] for one in template["parameters"]}
    assert "--template-file-gcs-location=gs://bucket/templates/colorize-v7.json" in asked[0]


@pytest.mark.parametrize(
    ("states", "outcomes"),
    [(["RUNNING", "FAILED"], {"written": 50}), (["CANCELLED"], {}), (["DONE"], {"written": 44, "crashed": 6})],
)
def test_a_canary_that_fails_or_rejects_many_photos_stops_the_release(canary, states, outcomes):
    assert canary(states, outcomes)[0] == 1


@pytest.fixture(scope="module")
def workflow(repository) -> dict[Any, Any]:
    return yaml.safe_load((repository / "deploy" / "ci" / "github-release.yml").read_text())


def test_the_schedule_changes_after_the_canary_and_an_approval(workflow):
    jobs = workflow["jobs"]
    assert (jobs["canary"]["needs"], jobs["apply"]["needs"]) == ("build", "canary")
    assert jobs["apply"]["environment"] == "production"
    assert "needs.canary.result == 'success'" in jobs["apply"]["if"]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    uses = {step["uses"].partition("@")[0] for job in jobs.values() for step in job["steps"] if "uses" in step}
    assert uses == {
        "actions/checkout",
        "google-github-actions/auth",
        "google-github-actions/setup-gcloud",
        "hashicorp/setup-terraform",
    }


def test_an_older_tag_is_applied_without_a_build(workflow):
    assert workflow["jobs"]["build"]["if"] == "github.event_name == 'push'"
    assert workflow[True]["workflow_dispatch"]["inputs"]["tag"]["required"]
    assert workflow["env"]["TAG"].startswith("${{ inputs.tag ||")
    assert "workflow_dispatch" in workflow["jobs"]["apply"]["if"]


def test_its_scripts_are_sound_and_call_what_is_there(workflow, repository, shellcheck):
    shellcheck(str(repository / "deploy" / "ci" / "canary.sh"))
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                script = re.sub(r"\$\{\{ vars\.(\w+) \}\}", r"\1", step["run"])
                shellcheck("--shell=bash", "--exclude=SC2154", "-", text=script)
                for path in re.findall(r"deploy/[\w/]+\.sh", script):
                    assert (repository / path).exists()
    variables = re.search(
        r"Variables of the repository: (.*?)name:", (repository / "deploy/ci/github-release.yml").read_text(), re.DOTALL
    )
    used = set(re.findall(r"vars\.(\w+)", (repository / "deploy/ci/github-release.yml").read_text()))
    assert used == set(re.findall(r"\b[A-Z_]{5,}\b", variables[1]))


def test_a_tag_keeps_its_digest(repository):
    places = (repository / "deploy" / "dataflow" / "terraform" / "places.tf").read_text()
    assert re.search(r"docker_config \{\s+immutable_tags = true\s+\}", places)
