"""The list of the runs that wrote into a folder, ``manifest/runs.json``.

A file counts as done if its record says that this model and these settings made it. But another run in between may have
been killed after it wrote a file and before it wrote the file's record. The runs of a folder are therefore numbered,
and files from earlier numbers are compared with their digests before their records are trusted.
"""

import json
from dataclasses import replace
from typing import Any

from pipelines.archive import provenance
from pipelines.archive.manifest import FOLDER, RUNS_FILE
from pipelines.archive.provenance import Recipe
from pipelines.files import storage, versions
from tfrecords.errors import UserError


def known(output: str) -> list[dict[str, Any]]:
    """Return the runs that started in a folder, oldest first.

    Raises:
        UserError: the list of runs is damaged.
        storage.io_errors: it cannot be read.
    """
    uri = storage.join(output, RUNS_FILE)
    found = versions.read(uri)
    if found is None:
        return []
    try:
        return [dict(run) for run in json.loads(found.data)["runs"]]
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{uri} is damaged; delete it and start again: photos are then checked against their records"
        ) from error


def check_state(output: str, state: str) -> None:
    """Check that records of earlier runs in the output are not ignored.

    Raises:
        UserError: the output has records, and the other folder has none.
    """
    if known(output) and not known(state):
        raise UserError(
            f"{output} holds records of earlier runs; copy its folder {FOLDER} to {state} first, or leave out --state"
        )


def number(output: str, recipe: Recipe) -> int:
    """Return the number of a run in a folder: that of the last run if it continues that one, else the next number."""
    before = known(output)
    return len(before) + (not before or provenance.completed(before[-1]) != recipe.made_with())


def numbered(recipe: Recipe, folder: str) -> Recipe:
    """Return a recipe with the number of its run in a folder."""
    return replace(recipe, run=number(folder, recipe))


def begin(output: str, recipe: Recipe) -> None:
    """Record that the run starts; repeated calls have no effect.

    Raises:
        UserError: another run started after this one got its number.
    """
    before = known(output)
    if number(output, recipe) != recipe.run:
        raise UserError(f"another run wrote into {output} since this one was launched; launch this one again")
    if recipe.run > len(before):
        data = json.dumps({"runs": [*before, recipe.made_with()]}, indent=2, ensure_ascii=False) + "\n"
        storage.write_in(output, RUNS_FILE, data.encode())
