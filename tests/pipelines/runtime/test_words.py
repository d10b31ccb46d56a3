import pytest

from pipelines.runtime import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5_900, "98 min"),
        (6_600, "1 h 50 min"),
        (7_200, "2 h"),
        (19_200, "5 h 20 min"),
        (86_400, "24 h"),
        (1_000_000, "12 days"),
        (1e9, "11,574 days"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(seconds, said):
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("rate", "said"), [(12.34, "12.3/s"), (1, "1.0/s"), (0.5, "30.0/min"), (1 / 120, "30.0/h"), (1 / 7200, "0.5/h")]
)
def test_a_rate_has_the_unit_that_suits_it(rate, said):
    assert words.rate(rate) == said
