import pytest

from pipelines import flags
from pipelines.guidance import planning
from pipelines.guidance.plan import NONE
from tfrecords.errors import UserError


def test_flags_make_a_plan(tmp_path):
    (tmp_path / "a.jpg.hints.json").write_bytes(b"[]")
    args = flags.colorize().parse_args(["in", "out", f"--hints={tmp_path}", "--hint_reach=0.5", "--on_bad_hint=ignore"])
    plan = planning.of(args)
    assert (set(plan.hints), plan.hint_reach, plan.on_bad_hint) == ({"a.jpg"}, 0.5, "ignore")
    assert planning.of(flags.colorize().parse_args(["in", "out"])) == NONE


@pytest.mark.parametrize(("name", "value"), [("hint_reach", 2.0), ("on_bad_hint", "shrug")])
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
