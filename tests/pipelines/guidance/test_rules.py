import pytest

from pipelines.guidance import rules
from tfrecords.errors import UserError


def load(folder, text: str) -> rules.Rules:
    (folder / "rules.toml").write_text(text)
    return rules.load(str(folder / "rules.toml"))


@pytest.mark.parametrize(
    ("glob", "name", "holds"),
    [
        ("*.jpg", "a.jpg", True),
        ("*.jpg", "box/a.jpg", False),
        ("**/*.jpg", "a.jpg", True),
        ("**/*.jpg", "box/1/a.jpg", True),
        ("box/**", "box/1/a.jpg", True),
        ("box/**", "boxes/a.jpg", False),
        ("box/?.tif", "box/7.tif", True),
        ("box [1]/*", "box [1]/a.jpg", True),
    ],
)
def test_globs_are_those_of_folders(glob, name, holds):
    assert rules.Rule(match=glob).holds(name) == holds


def test_the_most_specific_rule_holds_and_of_equal_ones_the_last(tmp_path):
    text = """
        [[rule]]
        match = "box 1/portrait/**"
        saturation = 2
        [[rule]]
        match = "**"
        saturation = 1.5
        [[rule]]
        match = "box 1/*/*?"
        skip = true
        [[rule]]
        match = "box 1/**/*"
        saturation = 0.5
    """
    found = load(tmp_path, text)
    assert found.of("box 1/portrait/a.jpg").saturation == 2
    assert found.of("box 1/street/a.jpg").saturation == 0.5
    assert found.of("box 2/a.jpg").saturation == 1.5
    assert rules.Rules(name="", sha256="", rules=()).of("a.jpg") is None


def test_files_are_named_relative_to_the_rules(tmp_path, photos, encoded):
    (tmp_path / "box 1.gpl").write_text("GIMP Palette\n200 30 40\n")
    (tmp_path / "uniform.json").write_text('[{"x": 0.5, "y": 0.5, "color": "#203a72"}]')
    (tmp_path / "street.jpg").write_bytes(encoded(photos["coffee"], "JPEG"))
    text = f"""
        [[rule]]
        match = "box 1/**"
        palette = "box 1.gpl"
        hints = "uniform.json"
        reference = "{tmp_path}/street.jpg"
    """
    [rule] = load(tmp_path, text).rules
    assert rule.palette is not None
    assert rule.palette.name == "box 1.gpl"
    assert rule.hints is not None
    assert rule.hints.uri == str(tmp_path / "uniform.json")
    assert rule.references is not None
    assert rule.references.files[0].name == "street.jpg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]", "rules.toml: "),
        ("", "it has no rules"),
        ("rule = [1, 2]", r"rule 1 is not a table; begin each with \[\[rule\]\]"),
        ("rule = " + 5000 * "[", "it is nested too deep"),
        ("rules = 1", "rules is unknown; rules begin with"),
        ('[[rule]]\nmatch = "*"\npallet = "a.gpl"', "rule 1: pallet is unknown; a rule has match, palette,"),
        ('[[rule]]\nmatch = "*"\nskip = "yes"', "rule 1: skip cannot be 'yes'"),
        ('[[rule]]\nmatch = "*"\nsaturation = 9', "rule 1: saturation must be a number from 0 to 4"),
        ('[[rule]]\nmatch = "*"\npalette = ""', "rule 1: palette cannot be ''"),
        (
            '[[rule]]\nmatch = "*"\nhints = "rules.toml"',
            r"rule 1: hints .*rules.toml cannot be used: it is neither PNG",
        ),
        ("[[rule]]\nskip = true", "rule 1: match is missing"),
        ('[[rule]]\nmatch = "*"\npalette = "none.gpl"', r"rule 1: palette .*none.gpl cannot be read"),
    ],
)
def test_broken_rules_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as raised:
        load(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_rules_of_an_editor_that_marks_utf_8_are_read_and_other_encodings_are_named(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_bytes(b'\xef\xbb\xbf[[rule]]\nmatch = "caf\xc3\xa9/*"\nskip = true\n')
    assert rules.load(str(path)).of("café/a.jpg") is not None
    path.write_bytes(b'[[rule]]\nmatch = "caf\xe9/*"\n')
    with pytest.raises(UserError, match=r"rules.toml: it is not text in UTF-8; save it as UTF-8"):
        rules.load(str(path))


def test_rules_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"--rules .*none.toml cannot be read"):
        rules.load(str(tmp_path / "none.toml"))


def test_a_model_is_named_relative_to_the_rules_or_by_the_name_of_one_that_ships(tmp_path, saved_model_dir):
    (tmp_path / "portraits").symlink_to(saved_model_dir)
    found = load(tmp_path, '[[rule]]\nmatch = "a"\nmodel = "portraits"\n[[rule]]\nmatch = "b"\nmodel = "released_1"\n')
    assert [rule.model.path for rule in found.rules] == [f"{tmp_path}/portraits", "released_1"]
    with pytest.raises(UserError, match=r"rule 1: model .*none does not exist"):
        load(tmp_path, '[[rule]]\nmatch = "a"\nmodel = "none"\n')
