import pytest

from pipelines import flags
from tfrecords.errors import UserError


def parsed(command: str, *argv: str):
    return flags.PARSERS[command]().parse_known_args(argv)[0]


def test_paths_may_be_given_in_order_or_by_flag():
    args = parsed("colorize", "scans", "colour")
    assert (args.input, args.output) == (["scans"], "colour")
    assert parsed("colorize", "--output=colour", "--input=a", "--input=b").input == ["a", "b"]


def test_defaults_are_those_of_the_settings():
    from pipelines.archive.provenance import Settings, settings_of

    for command, paths in (("colorize", ["scans", "colour"]), ("plan", ["scans"])):
        assert settings_of(parsed(command, *paths)) == Settings()


@pytest.mark.parametrize(("word", "name"), [("JPG", "jpeg"), ("tif", "tiff"), ("WebP", "webp"), ("keep", "keep")])
def test_a_format_is_taken_under_its_usual_names(word, name):
    assert parsed("colorize", "scans", "colour", f"--format={word}").format == name


@pytest.mark.parametrize("side", ["12", "0", "2056", "1.5", "-8", "²"])
def test_a_side_must_be_one_that_networks_take(side):
    with pytest.raises(UserError, match="must be a multiple of 8 from 8 to 2048"):
        parsed("prepare", "in", "out", f"--size={side}")
    assert parsed("prepare", "in", "out", "--size=2048").size == 2048


@pytest.mark.parametrize("percent", ["100", "-1", "nan", "inf", "x"])
def test_not_everything_can_be_held_out(percent):
    with pytest.raises(UserError, match="from 0 to below 100"):
        parsed("prepare", "in", "out", f"--validation_percent={percent}")
    assert parsed("prepare", "in", "out", "--validation_percent=0").validation_percent == 0


@pytest.mark.parametrize("price", ["-1", "inf", "nan"])
def test_a_price_is_a_number_that_can_be_paid(price):
    with pytest.raises(UserError, match="0 or more"):
        parsed("plan", "in", f"--price_per_vcpu_hour={price}")


def test_flags_of_beam_pass_and_those_of_other_commands_do_not():
    flags.check("colorize", ["scans", "colour", "--runner=DataflowRunner"])
    with pytest.raises(UserError, match="--epochs is a flag of train, not of colorize"):
        flags.check("colorize", ["scans", "colour", "--epochs=2"])
    with pytest.raises(UserError, match=r"unknown flag --qualty; did you mean --quality\?"):
        flags.check("colorize", ["scans", "colour", "--qualty=2"])
    with pytest.raises(UserError, match="unknown flag"):
        flags.check("report", ["colour", "--runner=DataflowRunner"])
