"""A count that may be one is written by `tfrecords.words.counted`: nobody reads "1 files"."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("autochrome", "pipelines", "model", "tfrecords")
# Nouns that lines for people count; bytes and pixels are many.
_THINGS = re.compile(
    r" (?:steps|files|photos|pictures|images|examples|shards|pages|records|models|bags|inputs|rows|tars|thumbnails"
    r"|scans|objects|seconds)\b"
)
# These numbers are above one wherever the line is said.
ABOVE_ONE = {
    "all {rejected:,} photos",
    "{rows:,} of {height:,} rows",
    "{count:,} pages",
    "all {images} pictures",
    "on {number:,} photos",
    "{len(found):,} files",
}


def counts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The numbers in f-strings, formatted as such, that stand before a plural: line and text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for number, noun in zip(node.values, node.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(noun, ast.Constant):
                    continue
                is_number = number.format_spec is not None and ast.unparse(number.format_spec) == "f','"
                if is_number and (found := _THINGS.match(str(noun.value))):
                    yield node.lineno, f"{{{ast.unparse(number.value)}:,}}{found[0]}"


def test_the_rule_finds_what_it_is_for():
    code = "f'{n:,} photos'; f'{n} of {total:,} files'; f'{n:,} photo'; f'{name} files'; f'{n:.1f} images/s'"
    assert [said for _, said in counts(ast.parse(code))] == ["{n:,} photos", "{total:,} files"]


def test_no_count_that_may_be_one_is_written_as_several(repository):
    found = [
        f"{path.relative_to(repository)}:{line}: {said}"
        for package in PACKAGES
        for path in sorted(Path(repository / package).rglob("*.py"))
        for line, said in counts(ast.parse(path.read_text()))
        if not any(said in one for one in ABOVE_ONE)
    ]
    assert found == []
