import pytest

from pipelines import flags
from tfrecords.errors import UserError


@pytest.mark.parametrize(
    ("flag", "message"), [("--hint_reach=2", "a number from 0 to 1"), ("--on_bad_hint=shrug", "reject or ignore")]
)
def test_wrong_values_are_refused(flag, message):
    with pytest.raises(UserError, match=message):
        flags.colorize().parse_args(["in", "out", flag])
