import hashlib
import json
from dataclasses import replace

import pytest
from begun_runs import FIRST, begun

from pipelines.archive import provenance
from pipelines.archive.manifest import RUNS_FILE, Output, Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.signing import Signing
from pipelines.guidance.hint_files import HintFile
from pipelines.guidance.models import Model
from pipelines.guidance.plan import Plan
from pipelines.guidance.rules import Rule, Rules
from pipelines.images.source_types import COMPOSITE
from tfrecords.errors import UserError


def test_a_model_that_takes_no_hints_cannot_spread_them(saved_model_dir):
    assert Recipe.of("released", Settings()).plan.takes_hints
    assert not Recipe.of(saved_model_dir, Settings()).plan.takes_hints
    with pytest.raises(UserError, match=r"takes no hints; use --hint_method blend"):
        Recipe.of(saved_model_dir, Settings(), plan=Plan(hint_method="network"))


def test_a_photo_is_done_if_the_model_made_it_that_a_rule_chooses():
    model = Model(path="/m", name="m", digest="ef" * 32)
    rules = Rules(name="r", sha256="0", rules=(Rule(match="a.jpg", model=model),))
    recipe = replace(FIRST, plan=Plan(rules=rules))
    assert (recipe.of_photo("a.jpg").model, recipe.of_photo("b.jpg")) == ("m", recipe)
    made = {"uri": "", "offset": None, "fingerprint": "", "status": "written"}
    made["settings_digest"] = FIRST.settings_digest
    for digest, done in ((FIRST.model_digest, {"b.jpg"}), (model.digest, {"a.jpg"})):
        names = ("a.jpg", "b.jpg")
        assert {one for one in names if recipe.has_made(Record(name=one, model_digest=digest, **made), one)} == done


def test_photos_made_before_borders_were_found_are_done_if_borders_are_kept(tmp_path):
    keep = Settings(borders="keep", bit_depth="8", watermark="off")
    before = {
        "recipe": provenance._RECIPE,
        "format": "keep",
        "quality": 95,
        "bit_depth": "8",
        "on_color": "recolor",
        "digital_source_type": COMPOSITE,
    }
    assert keep.digest() == hashlib.sha256(json.dumps(before, sort_keys=True).encode()).hexdigest()
    assert Settings().digest() != keep.digest()
    recipe = replace(FIRST, settings=keep, settings_digest=keep.digest())
    entry = recipe.made_with()
    del entry["settings"]["borders"], entry["settings"]["watermark"]
    (tmp_path / "manifest").mkdir()
    (tmp_path / RUNS_FILE).write_text(json.dumps({"runs": [entry]}))
    assert begun(tmp_path, recipe, FIRST, FIRST) == [1, 2, 2]


def test_photos_made_before_saturation_was_a_setting_are_done_if_it_is_one(tmp_path):
    entry = FIRST.made_with()
    del entry["settings"]["saturation"]
    (tmp_path / "manifest").mkdir()
    (tmp_path / RUNS_FILE).write_text(json.dumps({"runs": [entry]}))
    vivid = Settings(saturation=1.5)
    other = replace(FIRST, settings=vivid, settings_digest=vivid.digest())
    assert vivid.digest() != Settings().digest()
    assert begun(tmp_path, FIRST, other) == [1, 2]


def test_other_guidance_is_another_run(tmp_path):
    file = HintFile(name="a.jpg.hints.png", sha256="0", uri="/hints/a.jpg.hints.png")
    guided = replace(FIRST, plan=Plan(hints={"a.jpg": file}))
    changed = replace(FIRST, plan=Plan(hints={"a.jpg": replace(file, sha256="1")}))
    assert begun(tmp_path, FIRST, guided, guided, changed, FIRST) == [1, 2, 2, 3, 4]
    assert "guidance" not in FIRST.made_with()


def test_photos_count_as_done_only_if_they_are_signed_as_this_run_signs():
    signing = Signing(chain="", fingerprint="f1", name="Archive", algorithm="es256", until=0)
    signs = replace(FIRST, signing=signing)
    file = Output(name="a.jpg", page=1, width=1, height=1, bytes=1, sha256="5e", tone="grayscale", colourfulness=1.0)
    made = Record(
        name="a.jpg",
        uri="a.jpg",
        offset=None,
        fingerprint="1-1",
        status="written",
        sha256="5c",
        outputs=(file,),
        model_digest=FIRST.model_digest,
        settings_digest=FIRST.settings_digest,
    )
    signed = replace(made, outputs=(replace(file, unsigned_sha256="4e"),))
    copied = replace(made, outputs=(replace(file, sha256="5c"),))
    found = [[one.has_made(record, "a.jpg") for record in (made, signed, copied)] for one in (FIRST, signs)]
    assert found == [[True, False, True], [False, True, True]]
    assert signs.made_with()["signing"] == {"certificate": "f1", "name": "Archive"}


def test_limits_decide_which_photos_are_made_and_not_what_becomes_of_them():
    assert Settings(max_megapixels=500, max_seconds=900).digest() == Settings().digest()
    assert len({Settings(**chosen).digest() for chosen in ({}, {"pages": "first"}, {"truncated": "keep"})}) == 3
    limits = Settings(max_megapixels=358, max_seconds=900).limits(1000)
    assert (limits.memory > 1.9 * Settings().limits(1000).memory, limits.processor) == (True, 900)
    with pytest.raises(UserError, match="max_megapixels"):
        Settings(max_megapixels=0)
