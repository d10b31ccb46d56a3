"""Builds, launches and accounts: read by parsers of their languages and by the schemas of the services they go to."""

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from google.cloud import dataflow as api
from google.cloud.devtools import cloudbuild_v1 as build
from google.protobuf import json_format

VALUES = {
    "work_bucket": "bucket",
    "tag": "1",
    "input": "gs://in/scans",
    "output": "gs://out/colour",
}
FORBIDDEN = {"roles/owner", "roles/editor", "roles/viewer", "roles/dataflow.admin", "roles/storage.admin"}


def check_launch(body: dict[str, Any], repository: Path) -> api.LaunchFlexTemplateParameter:
    """Reads what is posted to flexTemplates:launch, whose parameters are those of the template and complete."""
    schema = api.LaunchFlexTemplateRequest
    request = schema(json_format.ParseDict(body, schema.pb(schema())))
    launch = request.launch_parameter
    declared = json.loads((repository / "deploy" / "dataflow" / "colorize.json").read_text())["parameters"]
    assert set(launch.parameters) <= {one["name"] for one in declared}
    assert set(launch.parameters) >= {one["name"] for one in declared if not one["isOptional"]}
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", launch.job_name)
    assert launch.environment.ip_configuration == api.WorkerIPAddressConfiguration.WORKER_IP_PRIVATE
    assert launch.environment.service_account_email
    return launch


@pytest.fixture(scope="module")
def terraform(repository) -> dict[str, list[dict[str, Any]]]:
    """All blocks of all files, by kind."""
    blocks: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((repository / "deploy" / "dataflow" / "terraform").glob("*.tf")):
        with path.open() as file:
            for kind, found in plain(hcl2.load(file)).items():
                blocks.setdefault(kind, []).extend(found)
    return blocks


def plain(value: Any) -> Any:
    """What python-hcl2 reads, without the quotes that it leaves around strings."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == '"' else value


def test_terraform_uses_what_it_declares(terraform, repository):
    declared = {name for block in terraform["variable"] for name in block}
    for block in terraform["variable"]:
        for variable in block.values():
            assert variable["description"]
    text = "".join(path.read_text() for path in (repository / "deploy" / "dataflow" / "terraform").glob("*.tf"))
    assert set(re.findall(r"var\.(\w+)", text)) == declared
    resources = {f"{kind}.{name}" for block in terraform["resource"] for kind, named in block.items() for name in named}
    assert set(re.findall(r"\b(google_\w+\.\w+)\.", text)) <= resources


def test_accounts_have_no_broad_role(terraform):
    grants = [
        one
        for block in terraform["resource"]
        for kind, named in block.items()
        for one in named.values()
        if "iam" in kind
    ]
    roles = {grant["role"] for grant in grants if "role" in grant}
    assert "roles/dataflow.worker" in roles
    assert not roles & FORBIDDEN
    assert not [role for role in roles if "admin" in role.lower()]


def test_the_scheduler_posts_a_launch(terraform, repository):
    [local] = [block for block in terraform["locals"] if "launch" in block]
    launch = local["launch"]
    assert launch["launchParameter"].pop("parameters") == "${merge(local.parameters, local.model)}"
    assert local["model"] == '${var.model == "" ? {} : {model = var.model}}'
    launch["launchParameter"]["parameters"] = local["parameters"]
    text = json.dumps(launch)
    for name, value in VALUES.items():
        text = text.replace(f"${{var.{name}}}", value)
    body = json.loads(text)
    body["launchParameter"]["environment"]["maxWorkers"] = 50
    launch = check_launch(body, repository)
    assert launch.container_spec_gcs_path == "gs://bucket/templates/colorize-1.json"
    assert dict(launch.parameters) == {name: VALUES[name] for name in ("input", "output")}
    [job] = [
        named
        for block in terraform["resource"]
        for kind, named in block.items()
        if kind == "google_cloud_scheduler_job"
    ]
    target = job["colorize"]["http_target"][0]
    assert target["uri"].endswith("/locations/${var.region}/flexTemplates:launch")
    assert "jsonencode(local.launch)" in target["body"]


def test_the_dag_is_python_and_launches_the_template(repository):
    tree = ast.parse((repository / "deploy" / "dataflow" / "dag.py").read_text())
    [body] = [ast.literal_eval(one.value) for one in tree.body if isinstance(one, ast.Assign)]
    assert check_launch(body, repository).environment.subnetwork
    # https://airflow.apache.org/docs/task-sdk/stable/api.html
    imported = {(one.module, name.name) for one in tree.body if isinstance(one, ast.ImportFrom) for name in one.names}
    assert ("airflow.sdk", "DAG") in imported
    calls = {
        node.func.id: node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    told = {keyword.arg for keyword in calls["DataflowStartFlexTemplateOperator"].keywords}
    assert told == {"task_id", "project_id", "location", "body", "deferrable", "append_job_name"}


def test_cloud_build_builds_what_is_there(repository):
    text = (repository / "deploy" / "dataflow" / "cloudbuild.yaml").read_text()
    fields = yaml.safe_load(text)
    steps = build.Build(json_format.ParseDict(fields, build.Build.pb(build.Build()))).steps
    given = re.findall(r"(_[A-Z]+)=", (repository / "deploy" / "dataflow" / "build.sh").read_text())
    assert set(re.findall(r"\$\{(_\w+)\}", text)) == set(given)
    dockerfile = (repository / "deploy" / "Dockerfile").read_text()
    for step in steps:
        options = dict(arg.removeprefix("--").split("=", 1) for arg in step.args if arg.startswith("--"))
        if step.args[0] == "build":
            assert f"AS {options['target']}\n" in dockerfile
            assert options["tag"] in fields["images"]
            assert (repository / options["file"]).exists()
        if step.args[0] == "dataflow":
            assert (repository / options["metadata-file"]).exists()
            assert options["image"] in fields["images"]
            assert f"/{Path(options['metadata-file']).stem}:" in options["image"]


def test_the_build_script_says_what_to_build(repository, stand_in):
    environment = stand_in("gcloud", 'printf "%s\\n" "$@"; pwd')
    script = repository / "deploy" / "dataflow" / "build.sh"
    asked = [str(script), "p", "europe-west1", "bucket", "7"]
    told = subprocess.run(
        [*asked, "--cuda"], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    repo = "_REPOSITORY=europe-west1-docker.pkg.dev/p/autochrome"
    assert f"--substitutions={repo},_TEMPLATES=gs://bucket/templates,_TAG=7,_CUDA=1" in told
    assert told[-1] == str(repository)
    for wrong in (asked[:3], [*asked, "--gpu"]):
        ended = subprocess.run(wrong, env=environment, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "usage" in ended.stderr


def test_scripts_are_sound_shell(repository, shellcheck):
    scripts = sorted(map(str, (repository / "deploy").rglob("*.sh")))
    assert len(scripts) >= 3
    shellcheck(*scripts)
