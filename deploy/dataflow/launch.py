"""What the launcher of a Flex Template runs inside the image: a command of Autochrome, whose workers run in this image.

Template parameters arrive as ``--name=value``, those of type BOOLEAN as ``--name=true``, which no switch of argparse
takes. The image sets ``AUTOCHROME_COMMAND``, ``AUTOCHROME_IMAGE`` and ``AUTOCHROME_USER`` (``deploy/Dockerfile``).
"""

import json
import os
import pwd
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines import cli

WORKERS = {
    "sdk_location": "container",
    # Of one process; there is a process a core. One thread computes while the other waits for the bucket.
    "number_of_worker_harness_threads": "2",
}


def switches(metadata: str) -> set[str]:
    """The names of a template's parameters of type BOOLEAN."""
    return {one["name"] for one in json.loads(metadata)["parameters"] if one["paramType"] == "BOOLEAN"}


def flags(given: Sequence[str], boolean: Iterable[str], image: str) -> list[str]:
    """The command line of the job.

    Args:
        given: what the launcher was called with.
        boolean: names of the parameters that are switches.
        image: that the workers are to run.
    """
    on = {f"--{name}=true": f"--{name}" for name in boolean}
    off = {f"--{name}=false" for name in boolean}
    ours = [on.get(flag, flag) for flag in given if flag not in off]
    names = {flag.partition("=")[0] for flag in ours}
    workers = {"sdk_container_image": image, **WORKERS}
    return [*ours, *(f"--{name}={value}" for name, value in workers.items() if f"--{name}" not in names)]


def step_down(name: str) -> None:
    """Gives up root's rights, which the launcher has for the folders that Dataflow mounts: goes on as another user."""
    user = pwd.getpwnam(name)
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = user.pw_dir


if __name__ == "__main__":
    if os.geteuid() == 0 and "AUTOCHROME_USER" in os.environ:
        step_down(os.environ["AUTOCHROME_USER"])
    command = os.environ["AUTOCHROME_COMMAND"]
    boolean = switches(Path(__file__).with_name(f"{command}.json").read_text(encoding="utf-8"))
    sys.exit(cli.main([command, *flags(sys.argv[1:], boolean, os.environ["AUTOCHROME_IMAGE"])]))
