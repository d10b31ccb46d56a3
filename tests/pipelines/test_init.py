"""What `pipelines` exports, and that it costs nothing until it is used."""

import subprocess
import sys

import pytest

import pipelines


def test_every_exported_name_is_there():
    for name in pipelines.__all__:
        assert getattr(pipelines, name).__doc__
        assert name in dir(pipelines)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = pipelines.Nothing


def test_help_does_without_beam_and_tensorflow():
    code = "import sys, pipelines.cli; print(*(set(sys.modules) & {'apache_beam', 'tensorflow'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
