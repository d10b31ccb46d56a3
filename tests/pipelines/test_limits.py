import threading

import pytest

from pipelines.limits import timed
from pipelines.outcomes import Rejected


def test_work_in_time_is_done():
    assert timed(lambda: 6 * 7, seconds=60) == 42


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        timed(lambda: 1 // 0, seconds=60)


def test_work_that_never_ends_is_left_behind_and_the_next_is_done():
    never = threading.Event()
    for _ in range(3):
        with pytest.raises(Rejected) as raised:
            timed(never.wait, seconds=0.01)
        assert (raised.value.reason, raised.value.detail) == ("timed_out", "not done after 0.01 s")
        assert timed(lambda: "next", seconds=60) == "next"
    never.set()
