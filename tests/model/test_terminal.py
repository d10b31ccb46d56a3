import ast
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from model.terminal import printable, say

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for package in ("tfrecords", "model", "pipelines", "autochrome") for path in (ROOT / package).glob("**/*.py")
)


@given(st.text())
def test_nothing_that_is_printed_can_command_a_terminal(text):
    shown = printable(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_what_can_be_shown_is_shown_as_it_is():
    for text in ("a b.jpg", "Zürich 東京\u3000[x].jpg", "👩\u200d🚀"):
        assert printable(text) == text
    assert printable("\x1b[31m\u202e\udce9\n") == "\\x1b[31m\\u202e\\udce9\\n"


def test_a_line_reaches_a_terminal_of_any_encoding():
    for encoding, shown in (("utf-8", "caf\\udce9 東 ü"), ("latin-1", "caf\\udce9 \\u6771 ü")):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        say("caf\udce9\t", "東 ü", sep="\t", file=stream)
        assert stream.buffer.getvalue().decode(encoding) == shown.replace(" ", "\\t\t", 1) + "\n"


_MODULE = """
import os, sys
from rich.console import Console
from rich.table import Table
from model.terminal import is_read, say, show
table = Table()
table.add_column("x" * 40)
assert is_read()
os.read(0, 1)  # the reader has ended
for _ in range(3):
    say("a line")
    show(table, Console())
print("read" if is_read() else "unread", file=sys.stderr)
"""


def test_work_goes_on_without_a_word_when_nobody_reads_what_is_printed(repository):
    reader, writer = os.pipe()
    arguments = {"stdin": subprocess.PIPE, "stdout": writer, "stderr": subprocess.PIPE, "cwd": repository}
    with subprocess.Popen([sys.executable, "-c", _MODULE], **arguments) as process:
        os.close(writer)
        os.close(reader)
        _, said = process.communicate(b"x")
    assert (process.returncode, said) == (0, b"unread\n")


def _raw(path: Path) -> Iterator[str]:
    """Yields the calls of a module that print text as it is, or a table without `show`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            is_text = any(isinstance(argument, ast.JoinedStr | ast.Constant) for argument in node.args)
            is_table = re.fullmatch(r"(self\.)?console\.print|Console\(.*\)\.print", called)  # not above a bar
            if (
                called in ("print", "sys.stdout.write", "sys.stderr.write")
                or is_table
                or (called.endswith(".print") and is_text)
            ):
                yield ast.unparse(node)


def test_every_line_goes_through_one_function():
    raw = {str(path.relative_to(ROOT)): list(_raw(path)) for path in MODULES}
    raw.pop("model/terminal.py")
    assert {path: calls for path, calls in raw.items() if calls} == {
        # Constants.
        "model/commands.py": ["print(parser.format_help(everything=True), end='', flush=True)"],
        "model/interrupt.py": ["print(LINE, file=_stderr or sys.stderr, flush=True)"],
        "pipelines/cli.py": ["print(_help())"],
    }


_CLOSED = """
import os, sys
from model import terminal
for number in (1, 2):
    os.close(number)
sys.stdout = sys.stderr = None  # as Python starts where the streams are closed
terminal.reopen()
terminal.say("a line")
terminal.say("a line", file=sys.stderr)
with open(sys.argv[1], "w") as file:
    os.write(1, b"a line of a library")
    assert file.fileno() > 2
"""


def test_lines_are_dropped_where_the_streams_are_closed(repository, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _CLOSED, str(tmp_path / "file")], cwd=repository, check=False, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "file").read_bytes() == b""


def test_the_program_starts_where_the_streams_are_closed(repository):
    words = f"{sys.executable} -m pipelines.cli --version"
    for closed in (">&-", "2>&-", ">&- 2>&-", "<&-"):
        done = subprocess.run(["/bin/sh", "-c", f"{words} {closed}"], cwd=repository, check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), closed
