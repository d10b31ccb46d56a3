"""Two recipes, and runs of a folder that begin with them."""

from dataclasses import replace
from pathlib import Path

from pipelines.archive import run_list
from pipelines.archive.provenance import Recipe, Settings

FIRST = Recipe(model="unet", model_digest="ab" * 32, settings=Settings(), settings_digest=Settings().digest())
SECOND = replace(FIRST, model_digest="cd" * 32)


def begun(folder: Path, *recipes: Recipe) -> list[int]:
    """Begins runs, one after the other; gives their numbers."""
    numbers = []
    for recipe in recipes:
        numbers.append(run_list.number(str(folder), recipe))
        run_list.begin(str(folder), replace(recipe, run=numbers[-1]))
    return numbers
