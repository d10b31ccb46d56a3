"""The codes of outcomes, reasons and warnings: what the code can say, the tables say as well, and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from pipelines.runtime.outcomes import REASONS, RETRIED, Status

_VERDICTS = ("Rejected", "Undecided")
_REASONS = ("reason",)
_WARNINGS = ("warning", "warnings", "warned", "dropped", "_warning")
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_OF_WARNINGS = re.compile(r"[a-z]+_(broken|dropped|shortened|since)|occupied")


@pytest.fixture(scope="module")
def trees(repository: Path) -> list[ast.Module]:
    return [ast.parse(path.read_text()) for path in (repository / "pipelines").glob("**/*.py")]


@pytest.fixture(scope="module")
def constants(trees) -> dict[str, str]:
    """Values of the constants of all modules by their names."""
    return {
        target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.fixture(scope="module")
def tables(repository: Path) -> dict[str, set[str]]:
    """The codes of each table of the page by the heading of its first column."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in (repository / "docs" / "outcomes.md").read_text().splitlines():
        cell = line.split("|")[1].strip() if line.startswith("|") else ""
        if cell and "`" not in cell and "-" not in cell:
            heading = cell
        found.setdefault(heading, set()).update(code for code in re.findall("`([^`]+)`", cell) if _CODE.fullmatch(code))
    return found


def _values(node: ast.AST | None, constants: dict[str, str]) -> Iterator[str]:
    """Yields the codes that an expression may come to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in constants:
        yield constants[node.attr]
    elif isinstance(node, ast.IfExp):
        yield from (*_values(node.body, constants), *_values(node.orelse, constants))
    elif isinstance(node, ast.Tuple):
        for element in node.elts:
            yield from _values(element, constants)


def _told(tree: ast.Module, names: tuple[str, ...], constants: dict[str, str]) -> Iterator[str]:
    """Yields the codes that are assigned or appended to names, passed as keywords, or their defaults."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=value) | ast.keyword(arg=name, value=value):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
                pass
            case _:
                continue
        if name in names:
            yield from _values(value, constants)


def test_every_outcome_has_its_row(tables):
    assert tables["outcome"] == set(get_args(Status))


def test_every_reason_has_its_row(trees, tables, constants):
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    verdicts = [node for node in calls if getattr(node.func, "id", "") in (*_VERDICTS, "Verdict")]
    reasons = {code for node in verdicts for code in _values(node.args[0], constants)}
    reasons |= {code for tree in trees for code in _told(tree, _REASONS, constants)}
    assert {"unreadable", "linked_folder", "near_gray", "toned", "duplicate"} <= reasons
    assert tables["reason"] == reasons


def test_reasons_can_be_named_in_a_flag(repository):
    rows = re.findall(
        r"^\| `(\w+)` \| (?:both|colorize) \|", (repository / "docs" / "outcomes.md").read_text(), re.MULTILINE
    )
    assert set(REASONS) == set(rows)
    assert set(RETRIED) < set(REASONS)


def test_a_reason_says_which_command_gives_it(repository, tables):
    rows = re.findall(
        r"^\| `(\w+)` \| (both|colorize|prepare) \|", (repository / "docs" / "outcomes.md").read_text(), re.MULTILINE
    )
    commands = dict(rows)
    assert set(commands) == tables["reason"]
    for command, room in (("prepare", "dataset"), ("colorize", "archive")):
        text = "".join(path.read_text() for path in (repository / "pipelines" / room).glob("*.py"))
        other = {reason for reason, given in commands.items() if given not in (command, "both")}
        assert not {reason for reason in other - {"out_of_memory"} if f'Rejected("{reason}"' in text}


def test_every_warning_has_its_row(trees, tables, constants):
    warnings = {code for tree in trees for code in _told(tree, _WARNINGS, constants)}
    strings = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    warnings |= {text for text in strings if isinstance(text, str) and _OF_WARNINGS.fullmatch(text)}
    assert {"changed_since", "occupied", "text_dropped", "xmp_broken"} <= warnings
    assert tables["warning"] == warnings
