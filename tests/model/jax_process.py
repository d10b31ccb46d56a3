"""Processes that train with JAX, on two devices, without TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DEVICES = "--xla_force_host_platform_device_count=2"


def environment(**more: str) -> dict[str, str]:
    """The environment of such a process."""
    paths = [str(HERE / "without_tensorflow"), str(HERE), str(HERE.parents[1])]
    given = {"PYTHONPATH": os.pathsep.join(paths), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": DEVICES}
    # Half of the processor time that these processes take; the programs make the same steps, more slowly.
    given["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return kept | given | more


def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with some arguments."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, check=False)
