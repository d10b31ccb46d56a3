import pytest

from pipelines import flags
from pipelines.files.list_parts import ListOptions, lists_of
from tfrecords.errors import UserError


@pytest.mark.parametrize("command", ["prepare", "colorize", "plan"])
def test_lists_are_read_as_the_flags_say(command):
    parse = flags.PARSERS[command]().parse_known_args
    args, _ = parse(["list.csv", *(["out"] if command != "plan" else []), "--root=scans", "--input_columns=file, uri"])
    assert lists_of(args) == ListOptions(root="scans", columns=("file", "uri"))
    with pytest.raises(UserError, match="must be names of columns with commas between them"):
        parse(["list.csv", "out", "--input_columns=a,,b"])
