"""One photo and its hints through all stages, with a model that the test makes up."""

import io
from dataclasses import replace

import numpy as np
import pytest
from attempts import context, green, photo_of
from PIL import Image

from model.guidance.hints import chroma_of
from pipelines.archive.attempt import attempt
from pipelines.archive.manifest import Record
from pipelines.guidance.planning import planned
from pipelines.images import pages
from tfrecords.color import srgb_to_lab


@pytest.mark.parametrize("content", [b"no picture", b""])
@pytest.mark.parametrize("on_bad_hint", ["reject", "ignore"])
def test_a_broken_hint_rejects_its_photo_or_is_left_out_with_a_warning(
    tmp_path, encoded, grey_photos, on_bad_hint, content
):
    (tmp_path / "a.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    (tmp_path / "a.png.hints.png").write_bytes(content)
    plan = planned(hints=str(tmp_path), on_bad_hint=on_bad_hint)
    plain: dict[str, bytes] = {}
    made: dict[str, bytes] = {}
    attempt(photo_of(tmp_path / "a.png"), context(green, plain))
    with_plan = context(green, made)
    record = attempt(photo_of(tmp_path / "a.png"), replace(with_plan, recipe=replace(with_plan.recipe, plan=plan)))
    assert record.guided["hints"]["file"] == "a.png.hints.png"
    assert with_plan.recipe.has_made(record, "a.png") is False
    if on_bad_hint == "reject":
        assert (record.reason, made) == ("bad_hint", {})
        return
    assert record.warnings == ("bad_hint",)
    assert made == plain, "the file does not say that hints guided it"
    strict = replace(with_plan.recipe, plan=replace(plan, on_bad_hint="reject"))
    assert not strict.has_made(record, "a.png")
    assert replace(strict, plan=plan).has_made(record, "a.png")


def test_a_hint_file_that_is_gone_or_new_is_what_the_record_says(tmp_path, encoded, grey_photos):
    (tmp_path / "a.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    file = tmp_path / "a.png.hints.json"
    file.write_text('[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]')
    plan = planned(hints=str(tmp_path))
    file.write_text('[{"x": 0.5, "y": 0.5, "color": "#0000ff"}]')
    with_plan = context(green, {})
    guided = replace(with_plan, recipe=replace(with_plan.recipe, plan=plan))
    record = attempt(photo_of(tmp_path / "a.png"), guided)
    assert record.status == "written"
    assert record.guided == planned(hints=str(tmp_path)).of("a.png").told() != plan.of("a.png").told()
    file.unlink()
    assert attempt(photo_of(tmp_path / "a.png"), guided).reason == "bad_hint"


def test_hints_for_the_second_page_colour_it_and_not_the_first(tmp_path, grey_photos):
    page = grey_photos["coins"][:100, :100]
    Image.fromarray(page).save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(page)])
    (tmp_path / "a.tif.p002.hints.json").write_text('[{"x": 0.5, "y": 0.5, "radius": 0.1, "color": "#a06080"}]')
    made: dict[str, bytes] = {}
    plain = context(green, made)
    guided = replace(plain, recipe=replace(plain.recipe, plan=planned(hints=str(tmp_path))))
    record = attempt(photo_of(tmp_path / "a.tif"), guided)
    assert record.guided == guided.recipe.plan.of("a.tif").told()
    first, second = (srgb_to_lab(found.pixels)[50, 50] for found in pages.read(made["a.tif"]))
    assert np.hypot(*(second[1:] - chroma_of((0xA0, 0x60, 0x80)))) < 1
    assert first[1] < 0 < second[1]


def test_saturation_scales_chroma_and_leaves_luminance_and_hue(tmp_path, encoded, grey_photos):
    photo = np.clip(grey_photos["coins"], 60, 200)  # where sRGB shows the colours
    (tmp_path / "a.png").write_bytes(encoded(photo, "PNG"))

    def made_of(saturation: float) -> tuple[Record, np.ndarray]:
        made: dict[str, bytes] = {}
        record = attempt(photo_of(tmp_path / "a.png"), context(green, made, saturation=saturation))
        with Image.open(io.BytesIO(made["a.png"])) as image:
            return record, srgb_to_lab(np.asarray(image))

    _, plain = made_of(1)
    for saturation in (0, 0.5, 1.1):
        record, lab = made_of(saturation)
        assert record.saturation == saturation
        assert np.abs(lab[..., 0] - plain[..., 0]).max() < 0.5
        a, b = lab[..., 1:].mean(axis=(0, 1)) - saturation * plain[..., 1:].mean(axis=(0, 1))
        assert np.hypot(a, b) < 0.3
