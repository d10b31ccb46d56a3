import os
import subprocess
import sys

import pytest

from model import quiet


def test_what_goes_well_is_silent_on_the_descriptor_itself(capfd):
    with quiet.startup():
        os.write(2, b"a remark of C++\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_fails_tells_everything(capfd):
    def fails() -> None:
        with quiet.startup():
            os.write(2, b"why it failed\n")
            raise ImportError("no library")

    with pytest.raises(ImportError):
        fails()
    assert capfd.readouterr().err == "why it failed\n"


def test_a_level_that_the_user_set_stands():
    code = "import os; from model import quiet\nwith quiet.startup(): pass\nprint(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    for given, found in ((None, "3"), ("0", "0")):
        environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        environment |= {} if given is None else {"TF_CPP_MIN_LOG_LEVEL": given}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout == f"{found}\n"
