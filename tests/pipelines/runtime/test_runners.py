import os
import re
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from pipelines.errors import JobFailedError
from pipelines.runtime import runners
from pipelines.runtime.runners import beam_options, is_local
from tfrecords.errors import OutageError, UserError


def _fail(_: int) -> None:
    raise ValueError("the disk\nis full")


def _complain(_: int) -> None:
    raise UserError("correct this")


def test_local_runs_have_one_process_whose_threads_use_every_core():
    for flags in ([], ["--runner=DirectRunner"], ["--runner", "direct"]):
        options = beam_options(flags)
        assert is_local(options)
        assert options.view_as(DirectOptions).direct_num_workers == 1
        assert options.view_as(DirectOptions).direct_running_mode == "in_memory"
        assert runners.threads(flags, options) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("flags", "workers", "mode", "threads"),
    [
        (["--direct_num_workers=1"], 1, "in_memory", 1),
        (["--direct_num_workers=3"], 1, "in_memory", 3),
        (["--direct_num_workers", "3"], 1, "in_memory", 3),
        (["--direct_num_workers=0"], 1, "in_memory", len(os.sched_getaffinity(0))),
        (["--direct_running_mode=multi_threading"], 0, "multi_threading", 1),
        (["--direct_num_workers=2", "--direct_running_mode=in_memory"], 2, "in_memory", 1),
        (["--direct_running_mode", "multi_processing", "--direct_num_workers=3"], 3, "multi_processing", 1),
    ],
)
def test_workers_are_threads_unless_a_mode_is_given(flags, workers, mode, threads):
    options = beam_options(flags)
    direct = options.view_as(DirectOptions)
    assert (direct.direct_num_workers, direct.direct_running_mode) == (workers, mode)
    assert runners.threads(flags, options) == threads


def test_options_pass_through_to_other_runners():
    options = beam_options(
        [
            "--runner=DataflowRunner",
            "--project=archive",
            "--region=europe-west1",
            "--temp_location=gs://bucket/tmp",
            "--machine_type=n2-standard-8",
            "--max_num_workers=7",
            "--experiments=use_runner_v2",
            "--experiments=shuffle_mode=service",
            "--setup_file=./setup.py",
            "--streaming",
        ]
    )
    assert not is_local(options)
    cloud = options.view_as(GoogleCloudOptions)
    assert (cloud.project, cloud.region, cloud.temp_location) == ("archive", "europe-west1", "gs://bucket/tmp")
    workers = options.view_as(WorkerOptions)
    assert (workers.machine_type, workers.max_num_workers) == ("n2-standard-8", 7)
    assert options.get_all_options()["experiments"] == ["use_runner_v2", "shuffle_mode=service"]
    assert options.view_as(SetupOptions).setup_file == "./setup.py"
    assert options.view_as(StandardOptions).streaming
    assert options.view_as(DirectOptions).direct_num_workers == 1


@pytest.mark.parametrize("name", ["DirectRunner", "directrunner", "Direct", "FnApiRunner", "fnapi"])
def test_a_local_runner_is_known_under_every_name_that_beam_takes(name):
    assert is_local(beam_options([f"--runner={name}"]))


@pytest.mark.parametrize("name", ["FlinkRunner", "flink", "PrismRunner", "Spark", "PortableRunner"])
def test_runners_of_beam_are_known(name):
    assert not is_local(beam_options([f"--runner={name}"]))


def test_options_of_the_flink_job_server_pass_through():
    flags = ["--runner=FlinkRunner", "--flink_master=flink:8081", "--parallelism=8", "--sdk_worker_parallelism=2"]
    passed = beam_options([*flags, "--execution_mode_for_batch=BATCH"]).get_all_options(drop_default=True)
    assert (passed["parallelism"], passed["sdk_worker_parallelism"]) == (8, "2")
    assert passed["execution_mode_for_batch"] == "BATCH"
    assert "execution_mode_for_batch" not in beam_options(flags).get_all_options(drop_default=True)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--no_such_flag=1", "unknown flag --no_such_flag=1"),
        ("photos", "photos is neither a flag nor the value of one; leave it out"),
        ("--direct_num_worker=2", "unknown flag --direct_num_worker=2"),
        ("--direct_num_workers=many", "direct_num_workers.*many"),
        ("--direct_running_mode=fast", "direct_running_mode.*fast"),
    ],
)
def test_a_wrong_flag_is_a_user_error_of_one_line(flag, message, capsys):
    with pytest.raises(UserError, match=message) as raised:
        beam_options([flag])
    assert "\n" not in str(raised.value)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"project": ""}, "--runner=DataflowRunner needs --project"),
        ({"region": ""}, "--runner=DataflowRunner needs --region"),
        ({"temp_location": ""}, "--runner=DataflowRunner needs --temp_location"),
        ({"temp_location": "/tmp/x"}, r"Invalid GCS path \(/tmp/x\)"),
        ({"project": "12345"}, r"Invalid Project ID \(12345\)"),
        ({"job_name": "Every_Week"}, r"Invalid job_name \(Every_Week\)"),
    ],
)
def test_what_dataflow_needs_is_told_before_anything_starts(change, message):
    given = {"project": "archive", "region": "europe-west1", "temp_location": "gs://bucket/tmp"} | change
    flags = [f"--{name}={value}" for name, value in given.items() if value]
    with pytest.raises(UserError, match=message) as raised:
        beam_options(["--runner=DataflowRunner", *flags])
    assert "\n" not in str(raised.value)


def test_a_job_that_breaks_tells_its_cause_in_one_line():
    job = beam.Create([1]) | beam.Map(_fail)
    with pytest.raises(JobFailedError) as raised:
        runners.run(job, beam_options(["--direct_num_workers=1"]))
    told = re.fullmatch(r"the job failed: ValueError: the disk \(details in (.*)\)", str(raised.value))
    assert told
    log = Path(told[1])
    assert "is full" in log.read_text()
    log.unlink()


def test_workers_import_nothing_from_the_folder_where_the_command_is_run(tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise RuntimeError('not ours')")
    monkeypatch.chdir(tmp_path)
    runners.run(beam.Create([1, 2]) | beam.Map(str), beam_options(["--direct_num_workers=2"]))


def _give_up(_: int) -> None:
    try:
        raise ConnectionError("refused")
    except ConnectionError as error:
        raise OutageError("gs://b does not answer") from error


def test_an_outage_is_told_in_its_own_words():
    job = beam.Create([1]) | beam.Map(_give_up)
    with pytest.raises(JobFailedError) as raised:
        runners.run(job, beam_options(["--direct_num_workers=1"]))
    told = re.fullmatch(r"the job failed: gs://b does not answer \(details in (.*)\)", str(raised.value))
    assert told
    Path(told[1]).unlink()


def _refuse(_: int) -> None:
    try:
        raise KeyError("settings")
    except KeyError as error:
        raise UserError("the claim is damaged; remove it") from error


@pytest.mark.parametrize(("work", "said"), [(_complain, "correct this"), (_refuse, "the claim is damaged; remove it")])
def test_a_user_error_comes_through_whatever_caused_it(work, said):
    with pytest.raises(UserError, match=f"^{said}$"):
        runners.run(beam.Create([1]) | beam.Map(work), beam_options(["--direct_num_workers=1"]))
