"""Training jobs of Vertex AI, GKE and plain machines: read by their schemas, their scripts run with stand-ins."""

import json
import subprocess
from typing import Any

import pytest
import yaml
from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

from model import train


@pytest.mark.parametrize(
    ("name", "strategy", "hosts"), [("one-gpu", "one", 1), ("mirrored", "mirrored", 1), ("workers", "multiworker", 4)]
)
def test_vertex_ai_takes_the_training_jobs(repository, name, strategy, hosts):
    fields = yaml.safe_load((repository / "deploy" / "training" / f"vertex-{name}.yaml").read_text())
    job = vertex.CustomJobSpec(json_format.ParseDict(fields, vertex.CustomJobSpec.pb(vertex.CustomJobSpec())))
    pools = job.worker_pool_specs
    assert sum(pool.replica_count for pool in pools) == hosts
    assert pools[0].replica_count == 1
    for pool in pools:
        assert list(pool.container_spec.command) == ["autochrome", "train"]
        flags = train.parser().parse_args(list(pool.container_spec.args))
        assert (flags.strategy, flags.data[:5]) == (strategy, "gs://")
        assert pool.machine_spec.accelerator_count == (4 if strategy == "mirrored" else 1)
        assert (flags.batch_size or 0) % (hosts * pool.machine_spec.accelerator_count) == 0


@pytest.fixture(scope="module")
def gke(repository) -> dict[str, dict[str, Any]]:
    return {
        one["kind"]: one for one in yaml.safe_load_all((repository / "deploy" / "training" / "gke.yaml").read_text())
    }


@pytest.mark.parametrize("index", [0, 1])
def test_pods_on_gke_find_each_other(gke, stand_in, shellcheck, index):
    """The pod's own script, with a program of the name `autochrome` that tells how it was called."""
    job, service = gke["Job"], gke["Service"]
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    environment = stand_in("autochrome", 'echo "$TF_CONFIG"; printf "%s\\n" "$@"') | {
        "JOB_COMPLETION_INDEX": str(index)
    }
    told = subprocess.run(
        [*container["command"], *container["args"]], env=environment, capture_output=True, text=True, check=True
    )
    config, *arguments = told.stdout.splitlines()
    names = [f"{job['metadata']['name']}-{one}.{pod['subdomain']}:2222" for one in range(job["spec"]["completions"])]
    assert json.loads(config) == {"cluster": {"worker": names}, "task": {"type": "worker", "index": index}}
    assert arguments[0] == "train"
    assert train.parser().parse_args(arguments[1:]).strategy == "multiworker"
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    assert job["spec"]["completionMode"] == "Indexed"
    shellcheck("--shell=bash", "-", text=container["args"][0])


@pytest.mark.parametrize(
    ("ends", "status", "times"), [([0], 0, 1), ([137, 143, 0], 0, 3), ([1, 2, 0], 2, 2), ([130, 0], 130, 1)]
)
def test_training_on_a_machine_is_taken_up_again_until_it_is_done(repository, tmp_path, stand_in, ends, status, times):
    (tmp_path / "ends").write_text("\n".join(map(str, ends)) + "\n")
    environment = stand_in(
        "docker", 'echo "$*" >> "$HOME/calls"; end=$(head -n 1 "$HOME/ends"); sed -i 1d "$HOME/ends"; exit "$end"'
    )
    script = repository / "deploy" / "training" / "vm.sh"
    environment["RETRY_SECONDS"] = "0"
    command = [str(script), "image:1", "gs://b/records", "gs://b/run", "--config=unet"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == status
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == times
    for call in calls:
        assert call.endswith("image:1 train --data=gs://b/records --output=gs://b/run --config=unet")
