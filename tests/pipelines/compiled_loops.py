"""Loops over pixels, compiled once for all processes that run tests; in a fresh checkout each would compile them."""

import subprocess
import sys

import pytest

_COMPILE = """
import numpy as np
from model.guidance import geodesic
from model.upsampling import recolor
from pipelines.archive import render
from pipelines.dataset import examples
render.warm_up(), examples.warm_up(), geodesic.warm_up()
for shape in ((2, 2), (2, 2, 3)):
    recolor(np.zeros(shape, np.uint16), np.zeros((2, 2, 2), np.float32))
"""
_PROCESS = pytest.StashKey[subprocess.Popen]()


def start(config: pytest.Config) -> None:
    """Begins, if tests will run in several processes and this is the one that hands them out."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        process = subprocess.Popen([sys.executable, "-c", _COMPILE], cwd=config.rootpath, stdin=subprocess.DEVNULL)
        config.stash[_PROCESS] = process
        config.add_cleanup(process.wait)


def wait(config: pytest.Config) -> None:
    """Returns when it is done."""
    config.stash[_PROCESS].wait()
