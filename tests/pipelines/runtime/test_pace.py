import pytest

from pipelines.runtime.pace import Pace


def paced(times: list[tuple[float, int]]) -> Pace:
    pace = Pace()
    for now, done in times:
        pace.note(done, now)
    return pace


def test_a_rate_is_never_0_in_a_slow_run():
    """A photo in 40 s, looked at every second: no rate is told before there is one."""
    pace = Pace()
    for now in range(200):
        pace.note(now // 40, now)
        rate = pace.rate(now)
        assert rate is None if now < 80 else rate == pytest.approx(1 / 40, rel=0.5)


def test_listing_and_the_start_of_the_workers_are_not_part_of_the_rate():
    assert paced([(0, 0), (100, 2), (101, 4), (110, 22)]).rate(110) == pytest.approx(2)


def test_photos_that_were_done_before_count_for_a_minute_at_most():
    times = [(0, 1), (1, 100_000), *((1.0 + second, 100_000 + 2 * second) for second in range(1, 100))]
    assert paced(times).rate(100) == pytest.approx(2, rel=0.05)


def test_a_rate_follows_the_last_minute():
    fast = [(float(second), 10 * second) for second in range(1, 100)]
    slow = [(100.0 + second, 1000 + second) for second in range(1, 100)]
    assert paced([*fast, *slow]).rate(199) == pytest.approx(1, rel=0.05)


def test_no_rate_is_told_of_photos_that_were_done_together():
    assert paced([(5, 2)]).rate(60) is None
    assert paced([(5, 2), (5.2, 4)]).rate(5.2) is None
