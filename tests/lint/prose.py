"""Words to avoid, and American spellings in prose.

    python tests/lint/prose.py [FILE …]

Without files, all text that git tracks is read. Phrases are found across line breaks and in identifiers. Spelling is
British in prose: comments and docstrings of Python, and Markdown outside code. Identifiers keep the spelling of their
library (`color`), so what back-ticks or quotes enclose does not count. Exits with 1 when something is found.
"""

import ast
import bisect
import functools
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

# A phrase as a pattern, and what to write instead. A space stands for any white space and the signs of comments.
PHRASES = {
    r"mend(s|ed|ing)?": "fix, correct, solution",
    "anew": "again, from the start",
    "midst": "middle, during",
    "of whom": "whose, of which",
    "so many": "the number, as `n`",
    "in hand": "at a time, open, unfinished",
    "has it that": "says that",
    "stands? beside": "is next to, belongs to",
    "in its words": "as it names them",
    "what nobody": "what no one, or the thing itself",
    "(that|which|who) (is|are|was|were) (no|none)(?! (longer|more|one)\\b)": "is not a, is not",
}
# Text of others, what is not text, and the rules themselves.
SKIPPED = re.compile(r"LICENSE|.*\.lock|.*\.sha256|model/released/(?!README).*|tests/lint/(test_)?prose\.py")
# Words with two meanings, one of which is spelled alike on both sides.
EITHER = {"analog", "biased", "dialog", "dialogs", "license", "licensed", "licenses", "meter", "meters", "practice"}
EITHER |= {"program", "programs", "artifact", "artifacts"}
_GAP = r"[\s#*/>|\"'\\_-]+"
_CODE = re.compile(r"\*\w[^*\n]*\*|```.*?```|``[^`]*``|`[^`]*`|\"[^\"\n]*\"|\S*[_/.(=-]\S*", re.DOTALL)


@functools.cache
def _avoided() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(rf"(?<![a-z])(?:{phrase.replace(' ', _GAP)})(?![a-z])", re.IGNORECASE), instead)
        for phrase, instead in PHRASES.items()
    ]


@functools.cache
def american() -> dict[str, str]:
    """American spellings, each with the British one. Words in -ize are both: Oxford spelling."""
    pairs = {}
    data = files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt"
    for line in data.read_text(encoding="utf-8").splitlines():
        british, _, rest = line.partition("->")
        word = rest.partition(",")[0].strip()
        if re.sub("(?<=[iy])s", "z", british) != word and word not in EITHER:
            pairs[word] = british
    return pairs


def _prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """The prose of a file: passages, each with the number of its first line."""
    if path.endswith(".md"):
        yield 1, re.sub(r"(?m)^(?: {4}|\t).*$", "", text)
    if not path.endswith(".py"):
        return
    for token in tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        is_documented = isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_documented and (docstring := ast.get_docstring(node, clean=False)):
            yield node.body[0].lineno, docstring  # type: ignore[attr-defined]


def findings(path: str, text: str) -> list[str]:
    """What is wrong with a file, one line each: path, line, what was found, what to write instead."""
    starts = [match.start() for match in re.finditer("^", text, re.MULTILINE)]
    found = [
        (bisect.bisect_right(starts, match.start()), match[0], instead)
        for pattern, instead in _avoided()
        for match in pattern.finditer(text)
    ]
    spellings = american()
    for first, passage in _prose(path, text):
        plain = _CODE.sub(lambda code: "\n" * code[0].count("\n"), passage)
        for offset, line in enumerate(plain.split("\n")):
            words = (word.lower() for word in re.findall(r"[A-Za-z]+", line))
            found += [(first + offset, word, spellings[word]) for word in words if word in spellings]
    return [f"{path}:{line}: {' '.join(what.split())} ==> {instead}" for line, what, instead in sorted(found)]


def tracked() -> list[str]:
    """The files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name]


def main(paths: list[str]) -> int:
    """Print what is wrong with files; 1 if anything is."""
    wrong = []
    for path in paths or tracked():
        if not SKIPPED.fullmatch(path) and Path(path).is_file():
            try:
                wrong += findings(path, Path(path).read_text(encoding="utf-8"))
            except UnicodeDecodeError:
                continue  # a picture or a model
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return min(len(wrong), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
