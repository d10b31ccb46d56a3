import pickle
from dataclasses import replace

import pytest

from pipelines.guidance.hint_files import HintFile
from pipelines.guidance.models import Model
from pipelines.guidance.palette_files import PaletteFile
from pipelines.guidance.plan import NONE, UNGUIDED, Plan
from pipelines.guidance.rules import Rule, Rules
from tfrecords.errors import UserError

FILES = {
    f"box/{number}.jpg": HintFile(name=f"box/{number}.jpg.hints.png", sha256=64 * "0", uri=f"/hints/{number}.png")
    for number in range(1000)
}
PLAN = Plan(hints=FILES, hints_path="/hints")


def test_a_photo_without_hints_is_not_guided():
    assert PLAN.of("other.jpg") is UNGUIDED
    assert NONE.of("box/1.jpg").told() == {}
    assert NONE.told == {}


def test_the_guidance_of_a_photo_names_its_file_and_how_it_is_spread():
    told = replace(PLAN, hint_reach=0.5).of("box/7.jpg").told()
    expected = {"file": "box/7.jpg.hints.png", "sha256": 64 * "0", "method": "blend", "reach": 0.5}
    assert told == {"hints": expected}


def test_how_hints_spread_follows_from_the_model_unless_it_is_said():
    def spread(plan: Plan) -> tuple[str, float]:
        told = plan.of("box/7.jpg").told()["hints"]
        assert (plan.told["hints"]["method"], plan.told["hints"]["reach"]) == (told["method"], told["reach"])
        return told["method"], told["reach"]

    assert spread(PLAN) == ("blend", 0.3)
    assert spread(replace(PLAN, takes_hints=True)) == ("network", 0.1)
    assert spread(replace(PLAN, takes_hints=True, hint_method="blend")) == ("blend", 0.3)
    assert spread(replace(PLAN, takes_hints=True, hint_reach=0.2)) == ("network", 0.2)


def test_a_rule_may_choose_a_model_which_spreads_hints_in_its_own_way():
    model = Model(path="/m", name="m", digest="1", takes_hints=True)
    found = Rules(name="rules.toml", sha256="0", rules=(Rule(match="box/7.jpg", model=model),))
    plan = replace(PLAN, rules=found).with_model(replace(model, takes_hints=False))
    assert [plan.of(f"box/{number}.jpg").model for number in (6, 7)] == [None, model]
    assert [plan.of(f"box/{number}.jpg").hint_method for number in (6, 7)] == ["blend", "network"]
    assert pickle.loads(pickle.dumps(plan)) == plan
    other = replace(found, rules=(Rule(match="box/7.jpg", model=replace(model, digest="2")),))
    assert replace(plan, rules=other).told["rules"] != plan.told["rules"]
    plain = replace(found, rules=(Rule(match="box/7.jpg", model=replace(model, takes_hints=False)),))
    with pytest.raises(UserError, match="model /m takes no hints"):
        replace(PLAN, rules=plain, hint_method="network").with_model(model)


def test_a_changed_hint_changes_the_guidance_of_its_photo_alone_and_what_the_run_says():
    changed = replace(PLAN, hints={**FILES, "box/7.jpg": replace(FILES["box/7.jpg"], sha256=64 * "1")})
    assert [name for name in FILES if changed.of(name) != PLAN.of(name)] == ["box/7.jpg"]
    assert changed.told != PLAN.told
    assert PLAN.told["hints"]["photos"] == 1000


def test_it_is_small_when_it_travels():
    data = pickle.dumps(PLAN)
    assert pickle.loads(data) == PLAN
    assert len(data) < 100 * len(FILES)


def test_a_palette_is_for_all_photos():
    palette = PaletteFile(name="a.gpl", sha256=64 * "2", colours=((10.0, -50.0),))
    plan = Plan(palette=palette, palette_strength=0.5)
    expected = {"palette": {"file": "a.gpl", "sha256": 64 * "2", "strength": 0.5}}
    assert plan.of("any.jpg").told() == plan.told == expected
    assert plan.of("any.jpg").choices(1.5).palette == ((10.0, -50.0),)
    assert set(replace(PLAN, palette=palette).of("box/7.jpg").told()) == {"hints", "palette"}


def test_a_rule_replaces_what_the_flags_say_where_it_names_it():
    palette, other = (PaletteFile(name=name, sha256=name, colours=((1.0, 2.0),)) for name in ("a.gpl", "b.gpl"))
    found = Rules(
        name="rules.toml",
        sha256="0",
        rules=(
            Rule(match="box/7.jpg", palette=other),
            Rule(match="box/8.jpg", saturation=2),
            Rule(match="x/*", skip=True),
        ),
    )
    plan = replace(PLAN, palette=palette, rules=found)
    assert plan.of("box/6.jpg").palette == plan.of("box/8.jpg").palette == palette
    assert (plan.of("box/7.jpg").palette, plan.of("box/7.jpg").rule) == (other, "box/7.jpg")
    assert plan.of("box/7.jpg").hints == FILES["box/7.jpg"]
    assert plan.of("box/8.jpg").choices(1.0).saturation == 2
    assert plan.of("x/a.jpg").told()["skip"] is True
    assert set(plan.told) == {"hints", "palette", "rules"}
    changed = replace(found, rules=(*found.rules[:2], Rule(match="x/*", saturation=3)))
    assert replace(plan, rules=changed).told != plan.told
