"""The command line as its users meet it; `pipelines.runtime.commands` is what its lines and exit codes come from."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.commands import did_you_mean
from pipelines import cli, flags
from pipelines.errors import JobFailedError
from pipelines.runtime import commands
from pipelines.runtime.runners import beam_parser

COMMANDS = [
    "prepare",
    "train",
    "evaluate",
    "export",
    "colorize",
    "report",
    "detect",
    "apply",
    "verify",
    "deliver",
    "plan",
    "inspect",
    "pack",
]


@pytest.fixture
def place(tmp_path, monkeypatch, encoded, grey_photos) -> Path:
    """A working folder with photos, a file, an empty folder and a dataset.json of somebody else."""
    for folder in ("photos", "empty", "foreign"):
        (tmp_path / folder).mkdir()
    (tmp_path / "photos" / "coins.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "foreign" / "dataset.json").write_text('{"name": "cats"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


PREPARE = ["prepare", "--input=photos", "--output=out"]
COLORIZE = ["colorize", "--input=photos", "--output=out"]
PLAN = ["plan", "--input=photos"]
DATAFLOW = ["--runner=DataflowRunner", "--project=archive", "--region=europe-west1", "--temp_location=gs://bucket/tmp"]


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["paint"], "unknown command paint"),
        (["--verbose"], "unknown command --verbose"),
        (["prepare"], "--input and --output"),
        (["prepare", "--input=photos"], "--output"),
        (["prepare", "--input=nowhere", "--output=out"], "nowhere does not exist"),
        (["prepare", "--input=", "--output=out"], "--input is empty"),
        (["prepare", "--input=photos/*.tif", "--output=out"], "photos/*.tif has no photos"),
        (["prepare", "--input=empty", "--output=out"], "empty has no photos"),
        (["prepare", "--input=nosuch://x", "--output=out"], "nosuch://x is not supported"),
        (["prepare", "--input=photos", "--output=file"], "file cannot be written to"),
        (["colorize", "--input=photos", "--output=file"], "--output file cannot be written to"),
        (["colorize", "--input=photos", "--output=file/colour"], "--output file/colour cannot be written to"),
        (["colorize", "--input=photos", "--output=colour", "--state=file"], "--state file cannot be written to"),
        (["colorize", "--input=photos", "--output=colour", "--sidecar=file"], "--sidecar file cannot be written to"),
        (["prepare", "--input=photos", "--output=nosuch://x"], "nosuch://x is not supported"),
        ([*PREPARE, "--size=7"], "not 7"),
        ([*PREPARE, "--size=4096"], "not 4096"),
        ([*PREPARE, "--size=large"], "--size"),
        ([*PREPARE, "--size=0"], "not 0"),
        ([*PREPARE, "--num_shards=-1"], "not -1"),
        ([*PREPARE, "--validation_percent=100"], "not 100"),
        ([*PREPARE, "--validation_percent=nan"], "not nan"),
        ([*PREPARE, "--colour=yes"], "unknown flag --colour"),
        ([*PREPARE, "--out=elsewhere"], "did you mean --output?"),
        ([*PREPARE, "--direct_num_workers=many"], "--direct_num_workers"),
        ([*PREPARE, "more"], "more is one path too many"),
        ([*PREPARE, "--runner=Flnk"], "--runner=Flnk is unknown"),
        ([*COLORIZE, "--runner=SamzaRunner"], "--runner=SamzaRunner is unknown"),
        ([*COLORIZE, "--runner=os.path"], "--runner=os.path is unknown"),
        ([*COLORIZE, "--runner=no.such.Runner"], "--runner=no.such.Runner is not available"),
        ([*PLAN, "--runner=Flnk"], "--runner=Flnk is unknown"),
        (["prepare", "--input=photos", "--output=gs://b/o", *DATAFLOW], "--input photos is on this machine"),
        (["prepare", "--input=gs://b/i", "--output=out", *DATAFLOW], "--output out is on this machine"),
        (["colorize", "--input=photos", "--output=gs://b/o", *DATAFLOW], "--input photos is on this machine"),
        (["colorize", "--input=gs://b/i", "--output=out", *DATAFLOW], "--output out is on this machine"),
        (["colorize", "--input=gs://b/i", "--output=gs://b/o", "--model=m", *DATAFLOW], "--model m is on this machine"),
        ([*COLORIZE, "--model=nowhere"], "nowhere does not exist"),
        ([*COLORIZE, "--model=empty"], "empty has no saved_model.pb"),
        ([*COLORIZE, "--model=m", "--format=gif"], "--format"),
        (["colorize", "--input=photos", "--output=photos/out", "--model=m"], "overlap"),
        ([*COLORIZE, "--model=m", "--on_color=paint"], "--on_color"),
        ([*COLORIZE, "--model=m", "--limit=1", "--sample=1"], "--limit and --sample"),
        ([*PLAN, "--model=nowhere"], "nowhere does not exist"),
        ([*PLAN, "--model=m", "--price_per_vcpu_hour=-1"], "--price_per_vcpu_hour: must be 0 or more, not -1"),
        ([*PLAN, "--model=m", "--price_per_vcpu_hour=nan"], "--price_per_vcpu_hour: must be 0 or more, not nan"),
        ([*PLAN, "--model=m", "--sample=0"], "1 or more, not 0"),
        (["inspect"], "DIR"),
        (["inspect", "empty"], "empty has no dataset.json"),
        (["inspect", "foreign"], "foreign/dataset.json does not describe"),
        (["inspect", "nosuch://x"], "nosuch://x is not supported"),
        (["inspect", "empty", "--deep"], "--deep"),
    ],
)
def test_what_the_user_can_correct_is_one_line_and_2(place, capsys, argv, names):
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("autochrome: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert names in err
    assert not list((place / "out").glob("*")) if (place / "out").exists() else True


@pytest.mark.parametrize(
    "argv",
    [
        ["prepare", "--input={}", "--output=out"],
        ["prepare", "--input=photos", "--output={}"],
        ["colorize", "--input={}", "--output=out"],
        ["colorize", "--input=photos", "--output={}"],
        ["colorize", "--input=photos", "--output=out", "--model={}"],
        ["report", "{}"],
        ["plan", "--input={}"],
        ["plan", "--input=photos", "--model={}"],
        ["inspect", "{}"],
        ["train", "--data={}", "--output=run"],
        ["train", "--data=records", "--output={}"],
        ["evaluate", "--model={}", "--data=records"],
        ["evaluate", "--model=released", "--data={}"],
        ["evaluate", "--model=released", "--data=records", "--json={}"],
        ["evaluate", "--model=released", "--data=records", "--sheet={}"],
    ],
)
@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("https://host/x.jpg", "give a local path, "),
        ("hdfs://host/x", "give a local path, "),
        ("file:///x", "give a local path without file://"),
        ("gs://", "write gs://BUCKET/PATH"),
        ("gs:/bucket/x", "write gs://BUCKET/PATH"),
        ("GS://bucket/x", "write gs://BUCKET/PATH"),
    ],
)
def test_a_path_of_another_store_is_refused_with_what_is_supported(place, capsys, argv, path, fix):
    before = sorted(place.rglob("*"))
    assert cli.main([word.format(path) for word in argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"{path} is " in err
    assert fix in err
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("path", ["s3:/bucket/x", "S3://bucket/x"])
def test_a_mistyped_path_in_s3_is_refused_with_the_right_one(capsys, path):
    assert cli.main(["colorize", f"--input={path}", "--output=out"]) == 2
    assert capsys.readouterr().err.endswith(f"{path} is not a path in a bucket; write s3://BUCKET/PATH\n")


@pytest.mark.parametrize(
    "path", ["photos", "./a:/b", "box:1/x.jpg", "gs://bucket", "gs://bucket/a b/*.jpg", "s3://bucket/x", ""]
)
def test_paths_on_disk_and_in_buckets_are_taken_as_they_are(path):
    assert flags.colorize().parse_args([f"--input={path}", "--output=out"]).input == [path]


@pytest.mark.parametrize("argv", [["--help"], ["-h"], *([command, "--help"] for command in COMMANDS)])
def test_help_fits_a_screen(argv, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    try:
        code = cli.main(argv)
    except SystemExit as ended:
        code = ended.code
    assert code == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    if len(argv) == 2:
        assert out.startswith(f"usage: autochrome {argv[0]} ")
        assert re.search(rf"^  autochrome {argv[0]} .+", out, re.MULTILINE), "an example"


@pytest.mark.parametrize("command", ["colorize", "plan"])
def test_all_flags_are_shown_on_request(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    shown = {}
    for flag in ("--help", "--help_all"):
        with pytest.raises(SystemExit) as ended:
            cli.main([command, flag])
        assert not ended.value.code
        shown[flag] = capsys.readouterr().out
    assert max(map(len, shown["--help_all"].splitlines())) <= 80
    assert "--help_all" in shown["--help"]
    assert "--digital_source_type" not in shown["--help"]
    for flag in {*flags.PARSERS[command]().flags} - {"--help_all"}:
        assert f"{flag} " in shown["--help_all"], flag


def test_help_names_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == COMMANDS
    assert cli.main([]) == 2


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert re.fullmatch(r"autochrome \d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_job_that_failed_is_one_line_and_1(capsys):
    def fail(_: list[str] | None) -> int:
        raise JobFailedError("the job failed: OSError: no space left on device")

    assert commands.run(fail, []) == 1
    assert capsys.readouterr() == ("", "autochrome: error: the job failed: OSError: no space left on device\n")


def test_no_flag_of_beam_is_taken_for_a_mistyped_one_of_ours():
    """The check of a command line knows our flags alone, as Beam is slow to import."""
    beam = beam_parser()
    for command in ("prepare", "colorize", "plan"):
        ours = flags.PARSERS[command]().flags
        close = {flag for flag in beam.flags if flag not in ours and did_you_mean(flag, ours)}
        assert close <= set(flags.CLOSE_BEAM_FLAGS)
    flags.check("colorize", ["scans", "colour", "--labels=team=archive"])


def test_a_module_ends_as_its_command_does():
    command = [sys.executable, "-m", "pipelines.prepare"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("autochrome: error: ")
    assert done.stderr.count("\n") == 1
