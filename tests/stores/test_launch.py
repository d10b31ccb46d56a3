"""What is wrong with a store, its address or its credentials is one line, before any work."""

import re
import socket
import sys
from pathlib import Path

import pytest
from servers import Store

from pipelines import cli
from pipelines.files import stores

COMMANDS = {
    "prepare": ["prepare", "--input={uri}", "--output={here}/records"],
    "colorize to": ["colorize", "--input={here}", "--output={uri}"],
    "report": ["report", "{uri}"],
}
each = pytest.mark.parametrize("command", COMMANDS)


def said(command: str, uri: str, here: Path, capsys, *more: str) -> str:
    """What a command says that ends before any work."""
    (here / "a.jpg").write_text("a photo")
    assert cli.main([part.format(uri=uri, here=here) for part in COMMANDS[command]] + list(more)) == 2
    assert [path.name for path in here.iterdir()] == ["a.jpg"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@each
def test_missing_rights(calm: Store, tmp_path, capsys, command):
    calm.faults.refuse("", 403)
    line = said(command, calm.uri("x"), tmp_path, capsys)
    assert f"{calm.uri('x')}: access is denied" in line


@each
def test_a_missing_bucket(calm: Store, tmp_path, capsys, command):
    uri = f"{calm.server.scheme}no-such-bucket/x"
    line = said(command, uri, tmp_path, capsys)
    assert re.search(rf"{uri}: the (bucket|container) no-such-bucket does not exist\n\Z", line)


def test_missing_credentials(calm: Store, tmp_path, capsys, monkeypatch):
    for name in calm.server.credentials:
        monkeypatch.delenv(name)
    calm.server.forget()
    calm.faults.needs_login = True
    assert calm.server.anonymous in said("prepare", calm.uri("x"), tmp_path, capsys)


def test_an_address_where_nobody_listens(calm: Store, tmp_path, capsys, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name, value in calm.server.environment(address).items():
        monkeypatch.setenv(name, value)
    calm.server.forget()
    line = said("prepare", calm.uri("x"), tmp_path, capsys)
    assert f"{address}" in line
    assert "does not answer" in line
    assert line.endswith("correct the address\n")


def test_a_package_that_is_not_installed(calm: Store, tmp_path, capsys, monkeypatch):
    stores._of_scheme.cache_clear()
    for name in calm.server.modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, calm.server.package, None)
    line = said("prepare", calm.uri("x"), tmp_path, capsys)
    assert re.search("needs .*; install (it|them) with `pip install ", line)
    monkeypatch.undo()
    stores._of_scheme.cache_clear()


def test_a_store_that_ignores_conditions_is_not_written_to(calm: Store, tmp_path, capsys):
    calm.relay.ignored += ("If-None-Match", "If-Match")
    assert calm.server.unconditional in said("colorize to", calm.uri("x"), tmp_path, capsys)
