"""How the command line starts: help and mistakes come before slow imports, Ctrl-C ends them without a traceback."""

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pipelines.cli import _COMMANDS

SLOW = ("apache_beam", "google.", "grpc", "tensorflow", "keras", "cv2", "numpy", "PIL", "rich")
LIGHT = [
    ["--version"],
    ["--help"],
    ["paint"],
    *([command, "--help"] for command in _COMMANDS),
    *([command] for command in _COMMANDS),
    ["prepare", "--inptu=photos", "--output=out"],
    ["colorize", "--input=photos", "--output=out", "--format=gif"],
    ["colorize", "--input=photos", "--output=ftp://host/out"],
    ["report", "colour", "--open"],
    ["plan", "--input=photos", "--sample=many"],
    ["inspect", "records", "--deep"],
    ["train", "--data=records", "--output=run", "--epoch=3"],
    ["evaluate", "--model=m", "--data=records", "--split=all"],
]
TELL = """
import json, sys
before = set(sys.modules)
from pipelines import cli
for argv in json.loads(sys.argv[1]):
    try:
        code = cli.main(argv)
    except SystemExit as ended:
        code = ended.code
    print(json.dumps([argv, code, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


def test_help_version_and_mistyped_flags_need_no_slow_import():
    command = [sys.executable, "-c", TELL, json.dumps(LIGHT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [argv for argv, _, _ in told] == LIGHT
    for argv, code, modules in told:
        assert code == (0 if argv[-1] in ("--version", "--help") else 2), argv
        assert not [name for name in modules if f"{name}.".startswith(SLOW)], argv


BEAM_AND_TENSORFLOW = ("apache_beam", "tensorflow", "keras")
FOR_FEW_PHOTOS = ("scipy", "skimage", "sklearn", "pandas", "pyarrow")
FOR_STORES = ("google.api_core", "google.auth", "google.cloud", "grpc", "requests", "urllib3", "boto3", "azure")
WITHOUT_A_JOB = [
    ["colorize", "--input=nowhere", "--output=out"],
    ["prepare", "--input=nowhere", "--output=out"],
    ["plan", "--input=nowhere"],
    ["report", "nowhere"],
    ["inspect", "nowhere"],
    ["train", "--data=records", "--output=run", "--config=nothing"],
    ["colorize", "--input=in", "--output=in"],
    ["colorize", "--input=in/coins.png", "--output=coins.jpg", "--dry_run"],
]


def test_mistakes_and_a_single_photo_import_neither_beam_nor_tensorflow(scans):
    command = [sys.executable, "-c", TELL, json.dumps(WITHOUT_A_JOB)]
    done = subprocess.run(command, cwd=scans.parent, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [argv for argv, _, _ in told] == WITHOUT_A_JOB
    for argv, code, modules in told:
        assert code == (0 if "--dry_run" in argv else 2), argv
        assert not [name for name in modules if f"{name}.".startswith(BEAM_AND_TENSORFLOW)], argv


def test_a_single_photo_is_coloured_without_beam_and_tensorflow(scans, saved_model_dir):
    argv = ["colorize", "--input=in/coins.png", "--output=colour.png", f"--model={saved_model_dir}"]
    command = [sys.executable, "-c", TELL, json.dumps([argv])]
    done = subprocess.run(command, cwd=scans.parent, capture_output=True, text=True, check=True)
    [(_, code, modules)] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert code == 0
    assert (scans.parent / "colour.png").exists()
    assert not [name for name in modules if f"{name}.".startswith((*BEAM_AND_TENSORFLOW, *FOR_FEW_PHOTOS, *FOR_STORES))]


@pytest.fixture
def scans(tmp_path, encoded, grey_photos) -> Path:
    """A folder `in` with a photo, in a folder of its own."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "coins.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    return folder


def test_the_console_script_starts_with_the_light_module():
    [script] = entry_points(group="console_scripts", name="autochrome")
    assert script.value == "pipelines.cli:main"


INTERRUPTED = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Press(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except BaseException:  # as some libraries do around their own imports
                pass

sys.meta_path.insert(0, Press())
from pipelines import cli
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("module", "argv"),
    [
        ("argparse", ["--version"]),
        ("apache_beam", ["colorize", "--input=in", "--output=out"]),
        ("apache_beam", ["plan", "--input=in", "--region=europe-west1"]),
        ("apache_beam", ["prepare", "--input=in", "--output=out"]),
        ("cv2", ["prepare", "--input=in", "--output=out"]),
        ("google.cloud.storage", ["report", "gs://photos/out"]),
        ("tensorflow", ["train", "--data=records", "--output=run"]),
    ],
)
def test_ctrl_c_during_the_imports_is_one_line_and_130(module, argv, scans):
    command = [sys.executable, "-c", INTERRUPTED, module, *argv]
    done = subprocess.run(command, cwd=scans.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "autochrome: interrupted\n")
    assert list(scans.parent.iterdir()) == [scans]


def test_ctrl_c_that_is_ignored_stays_ignored(scans):
    """As it is for a job that a shell put into the background, or that runs under nohup."""
    command = [sys.executable, "-c", INTERRUPTED, "apache_beam", "colorize", "--input=in", "--output=in/out"]
    command += ["--region=europe-west1"]  # a flag of Beam
    done = subprocess.run(
        *(command,),
        cwd=scans.parent,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "overlap" in done.stderr


STARTING = """
import sys
from importlib.abc import MetaPathFinder

class Stop(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv.pop(1):
            sys.exit(3)

sys.meta_path.insert(0, Stop())
from pipelines import cli
cli.main()
"""


@pytest.mark.parametrize(
    ("module", "argv"),
    [
        ("apache_beam", ["colorize", "in", "out"]),
        ("cv2", ["plan", "in"]),
        ("tensorflow", ["train", "--data=records", "--output=run"]),
    ],
)
def test_a_command_line_says_that_it_starts_before_slow_imports(module, argv, scans):
    script = STARTING.replace("sys.argv.pop(1)", repr(module))
    done = subprocess.run(
        [sys.executable, "-c", script, *argv], cwd=scans.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "autochrome: starting\n")


def test_on_a_terminal_the_line_goes_when_the_next_one_comes(tmp_path):
    script = "from pipelines import cli; raise SystemExit(cli.main())"
    primary, secondary = os.openpty()
    command = [sys.executable, "-c", script, "inspect", "records"]
    code = subprocess.run(command, cwd=tmp_path, stderr=secondary, check=False).returncode
    os.close(secondary)
    with os.fdopen(primary, "rb") as terminal:
        said = terminal.read1(10_000)
    assert code == 2
    assert said.startswith(b"autochrome: starting\r\x1b[Kautochrome: error: records has no dataset.json")
    assert said.count(b"\n") == 1
