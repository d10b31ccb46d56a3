import subprocess
import sys
from types import ModuleType

from model import loaded


class LateError(Exception):
    pass


def test_a_module_that_nobody_imported_has_no_errors(monkeypatch):
    assert loaded.errors("late_module", "LateError") == ()
    module = ModuleType("late_module")
    monkeypatch.setitem(sys.modules, "late_module", module)
    assert loaded.errors("late_module", "LateError") == ()  # its import is under way
    module.LateError = LateError
    assert loaded.errors("late_module", "LateError", "OtherError") == (LateError,)


def test_an_error_of_no_known_class_is_none_of_them():
    try:
        raise LateError
    except loaded.errors("late_module", "LateError"):
        raise AssertionError from None
    except LateError:
        pass


NAMES = """
import importlib, re, sys
from pathlib import Path
from model import loaded
for path in map(Path, sys.argv[1:]):
    for module, names in re.findall(r'loaded\\.errors\\("([^"]+)", (.*?)\\)', path.read_text()):
        importlib.import_module(module)
        wanted = re.findall(r'"(.*?)"', names)
        assert len(loaded.errors(module, *wanted)) == len(wanted) > 0, (path, module, names)
        print(module)
"""


def test_every_error_that_is_asked_for_exists(repository):
    """A name that is wrong would never match."""
    asking = [
        str(path)
        for room in ("model", "pipelines")
        for path in (repository / room).rglob("*.py")
        if "loaded.errors(" in path.read_text()
    ]
    done = subprocess.run([sys.executable, "-c", NAMES, *asking], capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) >= 10
