"""Python looks for garbage as before, except among modules and at the end."""

import gc
import subprocess
import sys
import weakref

import pytest

from pipelines.runtime import garbage


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_there_is_none_among_what_is_made_in_the_block():
    with garbage.none():
        assert not gc.isenabled()
        made = Cycle()
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects())  # frozen objects are not listed


def test_what_becomes_garbage_later_is_found():
    with garbage.none():
        pass
    made = Cycle()
    seen = weakref.ref(made)
    del made
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("was_on", [True, False])
def test_it_stays_on_or_off_when_the_block_fails(was_on):
    (gc.enable if was_on else gc.disable)()
    with pytest.raises(ZeroDivisionError), garbage.none():
        1 / 0  # noqa: B018
    assert gc.isenabled() == was_on


def test_a_program_ends_without_looking_at_what_it_holds():
    """The interpreter looks for garbage at its end, and tells callbacks how much it collected."""
    program = """
import gc, sys
from pipelines.runtime import garbage
class Cycle: pass
made = Cycle(); made.itself = made
del made
if sys.argv[1] == "frozen":
    garbage.at_exit()
gc.callbacks.append(lambda phase, info: phase == "stop" and print(info["collected"] > 0, flush=True))
"""
    said = [
        subprocess.run([sys.executable, "-c", program, how], capture_output=True, text=True, check=True).stdout
        for how in ("frozen", "not")
    ]
    assert "True" not in said[0]
    assert "True" in said[1]
