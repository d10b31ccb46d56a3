"""The pages: every command in them is one that our parsers take, every file that they link to is there."""

import json
import re
import shlex
from pathlib import Path

import pytest

from model import evaluate, train
from pipelines import flags
from pipelines.runtime import runners

PAGES = sorted((Path(__file__).parents[2] / "deploy").glob("*.md"))
PARSERS = {**flags.PARSERS, "train": train.parser, "evaluate": evaluate.parser}


def commands(page: Path, program: str) -> list[list[str]]:
    """The words of every command of a program in the page's code blocks, lines that go on joined."""
    blocks = "\n".join(line for line in page.read_text().splitlines() if line.startswith("    "))
    lines = re.sub(r"\\\n\s*", "", blocks).splitlines()
    return [shlex.split(line, comments=True) for line in map(str.strip, lines) if line.startswith(f"{program} ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_our_commands_have_our_flags(page):
    for _, command, *given in commands(page, "autochrome"):
        _, others = PARSERS[command]().parse_known_args(given)
        runners.beam_options(others)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_launches_have_the_parameters_of_their_template(page):
    for words in commands(page, "gcloud dataflow flex-template run"):
        options = dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)
        template = re.sub(r"-[^-]*$", "", Path(options["template-file-gcs-location"]).stem)
        declared = json.loads((page.parent / "dataflow" / f"{template}.json").read_text())["parameters"]
        given = dict(pair.split("=", 1) for pair in options["parameters"].split(","))
        assert set(given) <= {one["name"] for one in declared}
        assert {one["name"] for one in declared if not one["isOptional"]} <= set(given)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]
