"""The model and the child processes, opened once."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from model import saved_model
from pipelines.archive import context
from pipelines.archive.context import Engine
from pipelines.archive.provenance import Recipe, Settings
from pipelines.guidance import models
from tfrecords.errors import UserError


def test_it_opens_the_model_of_the_recipe_and_closes_its_children(saved_model_dir):
    recipe = Recipe.of(saved_model_dir, Settings())
    with Engine(saved_model_dir, recipe) as engine:
        opened = engine.context(lambda record, files: record)
        assert opened.recipe == recipe
        assert opened.predict(np.zeros((1, opened.size, opened.size, 1), np.float32)).shape[-1] == 2
        assert opened.processes is engine.processes


def test_a_model_that_is_not_the_one_of_the_recipe_is_refused(saved_model_dir):
    recipe = replace(Recipe.of(saved_model_dir, Settings()), model_digest="another")
    with pytest.raises(UserError, match="changed while the job ran"):
        Engine(saved_model_dir, recipe)


def test_of_the_models_that_rules_choose_the_last_ones_are_kept(tmp_path, monkeypatch, saved_model_dir):
    chosen = []
    for number in range(2):
        folder = tmp_path / str(number)
        shutil.copytree(saved_model.folder("released"), folder)
        record = json.loads((folder / saved_model.RECORD).read_text())
        record["identity"]["digest"] = 64 * str(number)
        (folder / saved_model.RECORD).write_text(json.dumps(record))
        chosen.append(models.load(str(folder)))
    with Engine(saved_model_dir, Recipe.of(saved_model_dir, Settings())) as engine:
        load = engine.context(lambda record, files: record).load
        kept = [load(model) for model in chosen]
        assert [load(model) for model in chosen] == kept
        assert load(models.load(saved_model_dir)) is engine.colorizer
    monkeypatch.setattr(context, "MOST_CHOSEN", 1)
    with Engine(saved_model_dir, Recipe.of(saved_model_dir, Settings())) as engine:
        load = engine.context(lambda record, files: record).load
        first, second = (load(model) for model in chosen)
        assert load(chosen[1]) is second
        assert load(chosen[0]) is not first
