import pytest

from pipelines import flags
from pipelines.files.list_parts import ListOptions, lists_of
from tfrecords.errors import UserError


def test_reasons_are_known_words():
    parse = flags.PARSERS["colorize"]().parse_known_args
    assert parse(["a", "b", "--retry=too_large, crashed"])[0].retry == ("too_large", "crashed")
    assert parse(["a", "b", "--retry="])[0].retry == ()
    with pytest.raises(UserError, match=r"--retry: timedout is not a reason; did you mean timed_out\?"):
        parse(["a", "b", "--retry=timedout"])


@pytest.mark.parametrize("command", ["prepare", "colorize", "plan"])
def test_lists_are_read_as_the_flags_say(command):
    parse = flags.PARSERS[command]().parse_known_args
    args, _ = parse(["list.csv", *(["out"] if command != "plan" else []), "--root=scans", "--input_columns=file, uri"])
    assert lists_of(args) == ListOptions(root="scans", columns=("file", "uri"))
    with pytest.raises(UserError, match="must be names of columns with commas between them"):
        parse(["list.csv", "out", "--input_columns=a,,b"])
