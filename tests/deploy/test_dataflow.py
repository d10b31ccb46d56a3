"""Both jobs submitted with --runner=DataflowRunner to a local server, and what it was sent, field by field."""

import hashlib
import json
import re
import shlex

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as beam
from google.cloud import dataflow as api
from google.cloud import storage as cloud
from google.protobuf import json_format

from pipelines import cli

IMAGE = "europe-west1-docker.pkg.dev/archive-project/autochrome/colorize:1"
GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
MIN_RAM = "beam:resources:min_ram_bytes:v1"
JOB_ID = "2026-01-01_00_00_00-1"
NOTED = "submission_environment_dependencies.txt"
ACCELERATOR = "beam:resources:accelerator:v1"


@pytest.fixture(scope="module")
def scans(bucket, photo_tree) -> str:
    blob = cloud.Client.create_anonymous_client().bucket(bucket).blob("scans/coins.jpg")
    blob.upload_from_filename(str(photo_tree / "coins.jpg"))
    return f"gs://{bucket}/scans"


@pytest.fixture
def flags(launch, scans, bucket, dataflow) -> list[str]:
    """What a launcher hands to a job: the template's parameters, and its own flags."""
    given = [
        f"--input={scans}",
        f"--output=gs://{bucket}/out",
        "--runner=DataflowRunner",
        "--project=archive-project",
        "--region=europe-west1",
        "--job_name=weekly",
        f"--temp_location=gs://{bucket}/tmp",
        f"--staging_location=gs://{bucket}/staging",
        f"--dataflow_endpoint={dataflow.endpoint}",
        "--machine_type=n2-standard-2",
        "--max_num_workers=50",
        "--service_account_email=autochrome-worker@archive-project.iam.gserviceaccount.com",
        "--subnetwork=regions/europe-west1/subnetworks/workers",
        "--no_use_public_ips",
        '--labels={"goog-dataflow-provided-template-type": "flex"}',
    ]
    return launch.flags(given, {"overwrite"}, IMAGE)


def sent(dataflow) -> api.Job:
    """The one job that was posted."""
    [(path, body)] = dataflow.posted
    assert path == "/v1b3/projects/archive-project/locations/europe-west1/jobs"
    return api.Job(json_format.Parse(body, api.Job.pb(api.Job())))


def read(uri: str) -> bytes:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return cloud.Client.create_anonymous_client().bucket(bucket).blob(name).download_as_bytes()


def graph(job: api.Job) -> beam.Pipeline:
    """The pipeline that the job's workers would fetch."""
    options = job.environment.sdk_pipeline_options["options"]
    serialized = read(options["pipelineUrl"])
    assert hashlib.sha256(serialized).hexdigest() == options["pipelineProtoHash"]
    return beam.Pipeline.FromString(serialized)


def hints(pipeline: beam.Pipeline, step: str) -> dict[str, bytes]:
    """The resource hints of a step, by its full name."""
    [environment] = {
        transform.environment_id
        for transform in pipeline.components.transforms.values()
        if transform.unique_name == step and transform.environment_id
    }
    return dict(pipeline.components.environments[environment].resource_hints)


def steps(pipeline: beam.Pipeline) -> set[str]:
    """Names of the steps directly below the job's own transform, as Dataflow shows them."""
    names = [transform.unique_name.split("/") for transform in pipeline.components.transforms.values()]
    return {parts[1] for parts in names if len(parts) > 1}


def check_environment(job: api.Job, name: str) -> None:
    """What both jobs ask of the service."""
    assert (job.name, job.type_) == (name, api.JobType.JOB_TYPE_BATCH)
    assert dict(job.labels) == {"goog-dataflow-provided-template-type": "flex"}
    environment = job.environment
    assert environment.service_account_email == "autochrome-worker@archive-project.iam.gserviceaccount.com"
    assert environment.temp_storage_prefix.startswith("storage.googleapis.com/photos/tmp/weekly.")
    assert "use_runner_v2" in environment.experiments
    [pool] = environment.worker_pools
    assert pool.machine_type == "n2-standard-2"
    assert pool.autoscaling_settings.max_num_workers == 50
    assert pool.subnetwork == "regions/europe-west1/subnetworks/workers"
    assert pool.ip_configuration == api.WorkerIPAddressConfiguration.WORKER_IP_PRIVATE
    assert pool.num_threads_per_worker == 2
    # One image for every stage, and nothing to be installed when a worker starts: Beam's list is for the workers' logs.
    assert {one.container_image for one in pool.sdk_harness_container_images} == {IMAGE}
    assert [package.name for package in pool.packages] == [NOTED]
    options = environment.sdk_pipeline_options["options"]
    assert options["sdk_location"] == "container"
    assert not options["save_main_session"]
    for absent in ("requirements_file", "setup_file", "extra_packages"):
        assert not options.get(absent)


def check_graph(pipeline: beam.Pipeline) -> None:
    """Nothing is staged for the workers, nothing lives in the launcher's own module, and pixels stay in their stage."""
    for environment in pipeline.components.environments.values():
        roles = [beam.ArtifactStagingToRolePayload.FromString(one.role_payload) for one in environment.dependencies]
        assert {role.staged_name for role in roles} <= {NOTED}
        assert beam.DockerPayload.FromString(environment.payload).container_image == IMAGE
    for transform in pipeline.components.transforms.values():
        assert b"__main__" not in transform.spec.payload


def test_prepare_as_it_reaches_dataflow(flags, dataflow, tmp_path, capsys):
    file = tmp_path / "job.json"
    assert cli.main(["prepare", *flags, "--size=64", f"--dataflow_job_file={file}"]) == 0
    assert f"/dataflow/jobs/europe-west1/{JOB_ID}?project=archive-project" in capsys.readouterr().out
    job = sent(dataflow)
    check_environment(job, "weekly")
    assert api.Job(json_format.Parse(file.read_text(), api.Job.pb(api.Job()))) == job
    pipeline = graph(job)
    check_graph(pipeline)
    assert steps(pipeline) == {"FindPhotos", "PreparePhotos"}
    assert hints(pipeline, "Prepare/PreparePhotos/Write shards") == {MIN_RAM: b"8000000000"}
    assert hints(pipeline, "Prepare/PreparePhotos/Claim") == {}


@pytest.mark.parametrize(("asked", "accelerator"), [([], {}), ([f"--accelerator={GPU}"], {ACCELERATOR: GPU.encode()})])
def test_colorize_as_it_reaches_dataflow(flags, dataflow, asked, accelerator):
    assert cli.main(["colorize", *flags, *asked]) == 0
    job = sent(dataflow)
    check_environment(job, "weekly")
    pipeline = graph(job)
    check_graph(pipeline)
    assert steps(pipeline) == {"FindPhotos", "ColorizePhotos", "Ignored in partition", "WriteManifest"}
    assert hints(pipeline, "Colorize/ColorizePhotos/Colorize") == {MIN_RAM: b"8000000000", **accelerator}


def test_the_example_of_the_readme_reaches_dataflow(scans, bucket, dataflow, repository):
    text = re.sub(r"\\\n\s*", "", (repository / "README.md").read_text())
    [line] = [line.strip() for line in text.splitlines() if "--runner=DataflowRunner" in line]
    for named, present in (("gs://archive/scans", scans), ("gs://archive/", f"gs://{bucket}/")):
        line = line.replace(named, present)
    _, *arguments = shlex.split(line)
    assert cli.main([*arguments, f"--dataflow_endpoint={dataflow.endpoint}"]) == 0
    [(path, body)] = dataflow.posted
    job = api.Job(json_format.Parse(body, api.Job.pb(api.Job())))
    assert path == "/v1b3/projects/my-project/locations/europe-west1/jobs"
    [pool] = job.environment.worker_pools
    assert {one.container_image for one in pool.sdk_harness_container_images} == {IMAGE.replace("archive-", "my-")}
    assert [package.name for package in pool.packages] == [NOTED]


def test_a_template_is_written_down_for_its_launcher(flags, dataflow, bucket):
    place = f"gs://{bucket}/staging/template_launches/1/job_object"
    assert cli.main(["colorize", *flags, f"--template_location={place}"]) == 0
    assert not dataflow.posted
    job = api.Job(json_format.Parse(read(place), api.Job.pb(api.Job())))
    check_environment(job, "weekly")
    check_graph(graph(job))


def test_a_refused_job_is_one_line_and_leaves_nothing_behind(flags, dataflow, bucket, capsys):
    dataflow.status = 409
    assert cli.main(["colorize", *flags]) == 1
    assert not list(cloud.Client.create_anonymous_client().list_blobs(bucket, prefix="out/"))
    told = capsys.readouterr().err
    assert "autochrome: error: " in told
    assert "There is an active job of this name" in told.splitlines()[-1]


def test_every_flag_of_the_launcher_is_one_of_beam(flags, launch, dataflow):
    known = [
        "--num_workers=1",
        "--network=default",
        "--worker_region=europe-west1",
        "--worker_zone=europe-west1-b",
        "--experiments=use_runner_v2",
        "--dataflow_kms_key=projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "--flexrs_goal=COST_OPTIMIZED",
        "--autoscaling_algorithm=THROUGHPUT_BASED",
        "--disk_size_gb=50",
        "--dataflow_service_options=enable_prime",
    ]
    from pipelines.runtime.runners import beam_options

    ours = ("--input", "--output")
    options = beam_options([flag for flag in [*flags, *known] if not flag.startswith(ours)]).get_all_options()
    assert options["sdk_container_image"] == IMAGE
    assert json.loads(options["labels"][0]) == {"goog-dataflow-provided-template-type": "flex"}
