"""The Flex Templates: what they declare against Google's schema and against our flags, and what the launcher runs."""

import argparse
import contextlib
import json
import os
import pwd
import re
import subprocess
import sys

import pytest
from google.cloud import dataflow as api
from google.protobuf import json_format

from pipelines.flags import PARSERS

COMMANDS = ("prepare", "colorize")
# Tell something to who sits there, or are for local files; a template starts a job for buckets.
TERMINAL = {"help", "help_all", "dry_run", "keep_mtime"}
IMAGE = "europe-west1-docker.pkg.dev/p/autochrome/prepare:1"


@pytest.fixture(params=COMMANDS)
def command(request) -> str:
    return request.param


@pytest.fixture
def text(repository, command) -> str:
    return (repository / "deploy" / "dataflow" / f"{command}.json").read_text()


@pytest.fixture
def flags(command):
    """Our flags by name, as argparse knows them."""
    actions = PARSERS[command]()._actions
    return {name.removeprefix("--"): action for action in actions for name in action.option_strings if name != "-h"}


def parsed(text: str) -> list:
    """The parameters, read by Google's own schema: an unknown field, type or enum value is an error."""
    metadata = json_format.Parse(text, api.TemplateMetadata.pb(api.TemplateMetadata()))
    return list(api.TemplateMetadata(metadata).parameters)


def test_metadata_is_what_the_schema_takes(text):
    assert not json.loads(text)["streaming"]
    parameters = parsed(text)
    for one in parameters:
        assert one.name
        assert one.label
        assert one.help_text.endswith((".", "!"))
        assert one.param_type != api.ParameterType.DEFAULT
        assert one.regexes, one.name
        for regex in one.regexes:
            assert regex.startswith("^")
            assert regex.endswith("$")
            if one.default_value:
                assert re.fullmatch(regex, one.default_value), one.name


def choices(flag) -> list[str]:
    """The values of a flag that takes one of a few, in the words of its refusal."""
    with contextlib.suppress(ValueError):  # a flag for numbers
        try:
            (flag.type or str)("no such value")
        except argparse.ArgumentTypeError as error:
            named = re.fullmatch(r"must be ((?:\w+, )*\w+ or \w+), not no such value", str(error))
            return re.split(", | or ", named[1]) if named else []
    return []


def test_every_parameter_is_a_flag_and_every_flag_a_parameter(text, flags, command):
    parameters = {one.name: one for one in parsed(text)}
    needed = {*PARSERS[command]().paths}
    assert set(parameters) == set(flags) - TERMINAL
    for name, one in parameters.items():
        flag = flags[name]
        assert one.is_optional != (name in needed), name
        assert (one.param_type == api.ParameterType.BOOLEAN) == (flag.nargs == 0), name
        assert [option.value for option in one.enum_options] == choices(flag), name
        if one.default_value:
            assert (flag.type or str)(one.default_value) == flag.default or flag.nargs == 0, name


@pytest.mark.parametrize(
    ("command", "name", "good", "bad"),
    [
        (
            "prepare",
            "input",
            ["gs://b", "gs://b/a b/*.tar", "gs://b/ü/[1]"],
            ["b/a", "/home/x", "gs://", "gs://b/a\nb"],
        ),
        ("prepare", "size", ["8", "256", "2048"], ["0", "-8", "25600", "2.5"]),
        ("prepare", "num_shards", ["1", "16384"], ["0", "1e3"]),
        ("prepare", "validation_percent", ["0", "5", "12.5"], ["100", "-1", "5%"]),
        ("prepare", "overwrite", ["true", "false"], ["yes", "1"]),
        ("colorize", "format", ["keep", "jpeg", "png", "tiff", "webp"], ["jpg", "gif"]),
        (
            "colorize",
            "accelerator",
            ["type:nvidia-l4;count:1;install-nvidia-driver", "type:nvidia-tesla-t4;count:2;install-nvidia-driver:5xx"],
            ["nvidia-l4", "count:1", "type:nvidia-l4;count:one"],
        ),
    ],
)
def test_values_are_told_apart_before_a_machine_starts(text, name, good, bad):
    [regexes] = [one.regexes for one in parsed(text) if one.name == name]
    assert all(re.fullmatch(regex, value) for regex in regexes for value in good)
    assert not [value for value in bad if all(re.fullmatch(regex, value) for regex in regexes)]


def test_the_workers_run_the_image_that_launched_them(launch):
    assert launch.flags(["--input=gs://b/a"], set(), IMAGE) == [
        "--input=gs://b/a",
        f"--sdk_container_image={IMAGE}",
        "--sdk_location=container",
        "--number_of_worker_harness_threads=2",
    ]


def test_what_is_given_stands(launch):
    given = ["--sdk_container_image=other", "--sdk_location=container", "--number_of_worker_harness_threads=1"]
    assert launch.flags(given, set(), IMAGE) == given


def test_switches_are_what_argparse_takes(launch, repository):
    boolean = launch.switches((repository / "deploy" / "dataflow" / "prepare.json").read_text())
    assert boolean == {"overwrite"}
    for value, told in (("true", ["--overwrite"]), ("false", []), ("maybe", ["--overwrite=maybe"])):
        assert launch.flags([f"--overwrite={value}", "--size=8"], boolean, IMAGE)[: len(told) + 1] == [
            *told,
            "--size=8",
        ]


def test_the_launch_gives_up_the_rights_of_root(launch, monkeypatch):
    """In the order in which that is possible: a user without rights could not change its groups."""
    calls = []
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(f"os.{name}", lambda *given, name=name: calls.append((name, *given)))
    monkeypatch.setenv("HOME", "/root")
    user = pwd.getpwuid(os.getuid())
    launch.step_down(user.pw_name)
    groups, group = (user.pw_name, user.pw_gid), user.pw_gid
    assert calls == [("initgroups", *groups), ("setgid", group), ("setuid", user.pw_uid)]
    assert os.environ["HOME"] == user.pw_dir


def test_a_user_error_ends_the_launch_with_its_line(repository, tmp_path):
    """The launcher's container log is where a user reads why nothing was launched."""
    environment = {
        **os.environ,
        "AUTOCHROME_COMMAND": "prepare",
        "AUTOCHROME_IMAGE": IMAGE,
        "PYTHONPATH": str(repository),
    }
    script = repository / "deploy" / "dataflow" / "launch.py"
    run = [sys.executable, str(script), f"--input={tmp_path}/none", f"--output={tmp_path}/out", "--overwrite=true"]
    ended = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith(f"autochrome: error: --input {tmp_path}/none does not exist")
