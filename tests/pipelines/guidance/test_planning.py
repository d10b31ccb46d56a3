import pytest

from pipelines import flags, notices
from pipelines.guidance import planning
from pipelines.guidance.plan import NONE
from tfrecords.errors import UserError


def test_flags_make_a_plan(tmp_path):
    (tmp_path / "a.jpg.hints.json").write_bytes(b"[]")
    args = flags.colorize().parse_args(["in", "out", f"--hints={tmp_path}", "--hint_reach=0.5", "--on_bad_hint=ignore"])
    plan = planning.of(args)
    assert (set(plan.hints), plan.hint_reach, plan.on_bad_hint) == ({"a.jpg"}, 0.5, "ignore")
    assert planning.of(flags.colorize().parse_args(["in", "out"])) == NONE


@pytest.mark.parametrize(
    ("name", "value"),
    [("hint_reach", 2.0), ("palette_strength", -1.0), ("on_bad_hint", "shrug"), ("hint_method", "magic")],
)
def test_unknown_values_are_refused(name, value):
    with pytest.raises(UserError, match=name):
        planning.planned(**{name: value})


def test_hints_for_other_photos_are_no_help_to_the_only_one(tmp_path):
    (tmp_path / "a.jpg.hints.json").write_bytes(b"[]")
    plan = planning.planned(hints=str(tmp_path))
    planning.check_photo(plan, "a.jpg")
    with pytest.raises(UserError, match=r"has no hints for b\.jpg; name them b\.jpg\.hints\.png"):
        planning.check_photo(plan, "b.jpg")
    planning.check_photo(NONE, "b.jpg")
    with pytest.raises(UserError, match=r"a\.jpg, which is not in the input"):
        planning.check_photos(plan, [str(tmp_path)])


def test_a_collection_without_points_for_the_only_photo_is_told_how_to_name_it(tmp_path):
    (tmp_path / "hints.csv").write_text("path,x,y,color\na.jpg,0,0,#ff0000\n")
    plan = planning.planned(hints=str(tmp_path / "hints.csv"))
    with pytest.raises(UserError, match=r"hints\.csv has no hints for b\.jpg; give it a line with the path b\.jpg$"):
        planning.check_photo(plan, "b.jpg")


@pytest.mark.parametrize(
    ("flags_", "said"),
    [
        (["--hint_reach=0.2"], "--hint_reach has no effect without hints"),
        (["--hint_method=blend"], "--hint_method has no effect without hints"),
        (["--palette_strength=0.5"], "--palette_strength has no effect without a palette"),
        (["--rules=RULES", "--hint_reach=0.2", "--palette_strength=0.5"], ""),
        ([], ""),
    ],
)
def test_flags_that_change_nothing_are_named(tmp_path, capsys, flags_, said):
    (tmp_path / "a.txt").write_text("#203a72 #c81e28")
    (tmp_path / "a.json").write_text('[{"x": 0, "y": 0, "color": "#203a72"}]')
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = "*"\npalette = "a.txt"\nhints = "a.json"\n')
    words = [flag.replace("RULES", str(tmp_path / "rules.toml")) for flag in flags_]
    with notices.on_terminal():
        planning.of(flags.colorize().parse_args(["in", "out", *words]))
    assert capsys.readouterr().err == (f"autochrome: {said}\n" if said else "")


def test_rules_that_no_photo_meets_are_named(tmp_path, capsys):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.jpg").write_bytes(b"scan")
    text = "".join(f'[[rule]]\nmatch = "{glob}"\nskip = true\n' for glob in ("*.jpg", "./a.jpg", "box 1/**"))
    (tmp_path / "rules.toml").write_text(text)
    plan = planning.planned(rules=str(tmp_path / "rules.toml"))
    with notices.on_terminal():
        planning.check_photos(plan, [str(tmp_path / "scans")])
    said = "rules.toml: no photo of the input meets rule 2 (./a.jpg), rule 3 (box 1/**)\n"
    assert capsys.readouterr().err == f"autochrome: {said}"
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = "*"\nskip = true\n')
    with notices.on_terminal():
        planning.check_photos(planning.planned(rules=str(tmp_path / "rules.toml")), [str(tmp_path / "scans")])
    assert capsys.readouterr().err == ""


def test_a_palette_is_read_before_work_starts(tmp_path):
    (tmp_path / "uniforms.txt").write_text("#203a72 #c81e28")
    plan = planning.planned(palette=str(tmp_path / "uniforms.txt"))
    assert plan.palette is not None
    assert len(plan.palette.colours) == 2
    (tmp_path / "uniforms.txt").write_text("blue")
    with pytest.raises(UserError, match=r"palette .*uniforms.txt cannot be used: line 1: a color must be #rrggbb"):
        planning.planned(palette=str(tmp_path / "uniforms.txt"))
    with pytest.raises(UserError, match=r"palette .*none.gpl cannot be read"):
        planning.planned(palette=str(tmp_path / "none.gpl"))
