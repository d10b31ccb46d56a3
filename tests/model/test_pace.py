import pytest

from model.pace import CALL_SECONDS, MOST_STEPS_A_CALL, Pace, steps_a_call, steps_within


def test_means_are_over_all_steps_and_not_over_calls():
    pace = Pace()
    pace.add(1, 4.0, 1.0)
    pace.add(3, 2.0, 1.0)
    assert pace.mean_loss == 1.5
    assert pace.seconds_a_step == 0.5


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(CALL_SECONDS / 7, 7), (CALL_SECONDS * 3, 1), (1e-9, MOST_STEPS_A_CALL), (CALL_SECONDS / 2.9, 2)],
)
def test_a_call_takes_about_as_long_whatever_a_step_takes(seconds, steps):
    assert steps_a_call(seconds) == steps


def test_steps_fit_into_the_time_that_is_left():
    assert [steps_within(0.5, seconds) for seconds in (-1.0, 0.0, 0.4, 0.5, 1.9, 1e9)] == [
        1,
        1,
        1,
        1,
        3,
        MOST_STEPS_A_CALL,
    ]
