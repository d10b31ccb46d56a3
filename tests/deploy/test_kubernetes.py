"""The example for Flink's Kubernetes operator: its fields are those of the resources, its flags those of the job."""

from typing import Any

import pytest
import yaml

from pipelines import flags
from pipelines.runtime import runners

# https://nightlies.apache.org/flink/flink-kubernetes-operator-docs-main/docs/custom-resource/reference/
SPEC = {
    *("image", "flinkVersion", "serviceAccount", "flinkConfiguration", "jobManager", "taskManager", "mode", "job"),
    *("imagePullPolicy", "ingress", "podTemplate", "restartNonce", "logConfiguration"),
}
MANAGER = {"resource", "replicas", "podTemplate"}


@pytest.fixture(scope="module")
def folder(repository):
    return repository / "deploy" / "flink" / "kubernetes"


@pytest.fixture(scope="module")
def cluster(folder) -> dict[str, Any]:
    return yaml.safe_load((folder / "flink.yaml").read_text())


@pytest.fixture(scope="module")
def schedule(folder) -> dict[str, Any]:
    return yaml.safe_load((folder / "colorize.yaml").read_text())


@pytest.fixture(scope="module")
def pod(schedule) -> dict[str, Any]:
    return schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_the_cluster_has_the_fields_of_the_operator(cluster):
    assert (cluster["apiVersion"], cluster["kind"]) == ("flink.apache.org/v1beta1", "FlinkDeployment")
    spec = cluster["spec"]
    assert set(spec) <= SPEC
    assert "job" not in spec, "a session cluster"
    for manager in ("jobManager", "taskManager"):
        assert set(spec[manager]) <= MANAGER
        assert set(spec[manager]["resource"]) <= {"cpu", "memory", "ephemeralStorage"}
    assert all(isinstance(value, str) for value in spec["flinkConfiguration"].values())
    assert spec["flinkVersion"] == f"v{spec['image'].partition(':')[2].replace('.', '_')}"


def test_a_worker_pool_is_next_to_each_task_manager_with_a_core_for_each_slot(cluster, pod):
    [pool] = cluster["spec"]["taskManager"]["podTemplate"]["spec"]["containers"]
    slots = cluster["spec"]["flinkConfiguration"]["taskmanager.numberOfTaskSlots"]
    assert pool["command"][1:3] == ["-m", "apache_beam.runners.worker.worker_pool_main"]
    assert pool["resources"]["requests"] == {"cpu": slots, "memory": f"{4 * int(slots)}Gi"}
    arguments = pod["containers"][0]["args"]
    assert f"--sdk_worker_parallelism={slots}" in arguments
    port = pool["ports"][0]["containerPort"]
    assert pool["command"][-1] == f"--service_port={port}"
    assert f"--environment_config=localhost:{port}" in arguments


def test_the_flags_are_those_of_the_command_and_of_beam(pod):
    [container] = pod["containers"]
    assert container["command"] == ["autochrome", "colorize"]
    ours, beam_flags = flags.colorize().parse_known_args(container["args"])
    assert ours.input == ["gs://INPUT_BUCKET/scans"]
    options = runners.beam_options(beam_flags).get_all_options()
    assert (options["runner"], options["job_endpoint"]) == ("PortableRunner", "localhost:8099")
    assert options["execution_mode_for_batch"] == "BATCH"


def test_the_job_server_reaches_the_cluster_and_ends_with_the_job(cluster, pod):
    [server] = pod["initContainers"]
    assert server["restartPolicy"] == "Always"
    assert f"--flink-master={cluster['metadata']['name']}-rest:8081" in server["args"]
    version = cluster["spec"]["image"].partition(":")[2]
    assert server["image"].startswith(f"apache/beam_flink{version}_job_server:")


def test_runs_do_not_meet_and_a_usage_error_is_not_tried_again(schedule):
    assert (schedule["apiVersion"], schedule["kind"]) == ("batch/v1", "CronJob")
    spec = schedule["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    rules = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rules[0]["onExitCodes"] == {"containerName": "colorize", "operator": "In", "values": [2]}
