"""The model and the child processes, opened once."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.archive.context import Engine
from pipelines.archive.provenance import Recipe, Settings
from tfrecords.errors import UserError


def test_it_opens_the_model_of_the_recipe_and_closes_its_children(saved_model_dir):
    recipe = Recipe.of(saved_model_dir, Settings())
    with Engine(saved_model_dir, recipe) as engine:
        context = engine.context(lambda record, files: record)
        assert context.recipe == recipe
        assert context.predict(np.zeros((1, context.size, context.size, 1), np.float32)).shape[-1] == 2
        assert context.processes is engine.processes


def test_a_model_that_is_not_the_one_of_the_recipe_is_refused(saved_model_dir):
    recipe = replace(Recipe.of(saved_model_dir, Settings()), model_digest="another")
    with pytest.raises(UserError, match="changed while the job ran"):
        Engine(saved_model_dir, recipe)
