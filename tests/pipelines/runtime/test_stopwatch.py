import pytest

from pipelines.runtime import stopwatch
from pipelines.runtime.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock; the function takes seconds."""
    now = [100.0]
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def test_the_times_of_a_stage_add_up(clock):
    watch = Stopwatch()
    for seconds in (0.5, 0.25):
        with watch.stage("read"):
            clock(seconds)
        clock(9)
    assert watch.milliseconds == {"read": 750}


def test_a_stage_within_a_stage_is_taken_off_the_outer_one(clock):
    watch = Stopwatch()
    with watch.stage("merge"):
        clock(0.5)
        with watch.stage("encode"):
            clock(0.25)
            with watch.stage("write"):
                clock(0.125)
        clock(1)
    assert watch.milliseconds == {"merge": 1500, "encode": 250, "write": 125}


def test_a_stage_that_fails_has_taken_its_time(clock):
    watch = Stopwatch()

    def decode() -> None:
        with watch.stage("decode"):
            clock(0.5)
            raise ValueError("cut")

    with pytest.raises(ValueError, match="cut"):
        decode()
    assert watch.milliseconds == {"decode": 500}
