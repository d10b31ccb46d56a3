"""Hints, palettes and rules in a bucket."""

import pytest

from pipelines.files import inputs
from pipelines.guidance import planning
from tfrecords.errors import UserError

POINT = b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]'


def test_what_guides_a_run_may_lie_in_a_bucket(calm_cloud):
    for name, data in {
        "hints/box 1/a.jpg.hints.json": POINT,
        "hints/box 1/a.jpg": b"a photo",
        "scans/box 1/a.jpg": b"a photo",
        "guidance/warm.txt": b"#c86432",
        "guidance/rules.toml": b'[[rule]]\nmatch = "**"\npalette = "warm.txt"\n',
    }.items():
        calm_cloud.itself.blob(name).upload_from_string(data)
    plan = planning.planned(hints=calm_cloud.uri("hints"), rules=calm_cloud.uri("guidance/rules.toml"))
    planning.check_photos(plan, [calm_cloud.uri("scans")])
    guidance = plan.of("box 1/a.jpg")
    assert guidance.hints is not None
    assert inputs.read(guidance.hints.uri) == POINT
    assert guidance.told()["palette"]["file"] == "warm.txt"
    with pytest.raises(UserError, match=r"palette .*none.gpl cannot be read"):
        planning.planned(palette=calm_cloud.uri("guidance/none.gpl"))


def test_hints_for_a_photo_that_is_not_in_the_bucket_are_refused(calm_cloud):
    calm_cloud.itself.blob("more/a.jpg.hints.json").upload_from_string(POINT)
    calm_cloud.itself.blob("other/b.jpg").upload_from_string(b"a photo")
    plan = planning.planned(hints=calm_cloud.uri("more"))
    with pytest.raises(UserError, match=r"a\.jpg, which is not in the input"):
        planning.check_photos(plan, [calm_cloud.uri("other")])
