"""The command line as its users meet it, in this process: what it says, its exit code, and what it wrote."""

from pathlib import Path

import pytest

from pipelines import cli


def mistake(argv: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Runs a command that must end with exit code 2 in one line, with nothing written below `place`; returns the line.

    The line comes without the ``autochrome: error: `` that it must begin with.
    """
    capsys.readouterr()
    before = _state(place)
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert err.startswith("autochrome: error: ")
    assert _state(place) == before
    return err.removeprefix("autochrome: error: ").removesuffix("\n")


def _state(place: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in place.rglob("*")}
