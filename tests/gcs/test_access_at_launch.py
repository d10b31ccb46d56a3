"""Rights and credentials that are missing when a command starts: one line, before any work."""

from pathlib import Path

import pytest
from accounts import KEY_FILE

from pipelines import cli

pytestmark = pytest.mark.usefixtures("brief")


COMMANDS = {
    "prepare": ["prepare", "--input={uri}", "--output={here}/records"],
    "prepare to": ["prepare", "--input={here}", "--output={uri}"],
    "colorize": ["colorize", "--input={uri}", "--output={here}/colour"],
    "colorize to": ["colorize", "--input={here}", "--output={uri}"],
    "colorize with": ["colorize", "--input={here}", "--output={here}/../colour", "--model={uri}"],
    "colorize one": ["colorize", "--input={uri}/a.jpg", "--output={here}/a.jpg"],
    "plan": ["plan", "--input={uri}"],
    "plan with": ["plan", "--input={here}", "--model={uri}"],
    "report": ["report", "{uri}"],
    "inspect": ["inspect", "{uri}", "--verify"],
    "train": ["train", "--data={uri}", "--output={here}/run"],
    "train to": ["train", "--data={here}", "--output={uri}"],
    "train from": ["train", "--data={here}", "--output={here}/run", "--init={uri}"],
    "evaluate": ["evaluate", "--model={here}/model", "--data={uri}"],
    "evaluate with": ["evaluate", "--model={uri}", "--data={here}"],
    "evaluate to": ["evaluate", "--model=released", "--data={here}", "--json={uri}/scores.json"],
}


def said(command: str, here: Path, capsys) -> str:
    """What a command says that ends before any work."""
    (here / "a.jpg").write_text("a photo")
    before = sorted(here.rglob("*"))
    assert cli.main([part.format(uri="gs://photos/x", here=here) for part in COMMANDS[command]]) == 2
    assert sorted(here.rglob("*")) == before
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_credentials_are_one_line_before_any_work(calm_cloud, accounts, tmp_path_factory, capsys, command):
    accounts.log_out()
    calm_cloud.faults.needs_login = True
    line = said(command, tmp_path_factory.mktemp("here"), capsys)
    assert "gs://photos is not public and there are no Google credentials" in line
    assert "`gcloud auth application-default login`" in line


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_rights_are_one_line_before_any_work(calm_cloud, accounts, tmp_path_factory, capsys, command):
    accounts.log_in()
    calm_cloud.faults.refuse("", 403)
    line = said(command, tmp_path_factory.mktemp("here"), capsys)
    assert "gs://photos/x" in line
    assert "access is denied" in line


def test_credentials_that_cannot_be_renewed_are_one_line(calm_cloud, accounts, tmp_path_factory, capsys):
    accounts.log_in()
    calm_cloud.faults.token = 400
    line = said("colorize", tmp_path_factory.mktemp("here"), capsys)
    assert "invalid_grant" in line
    assert "`gcloud auth application-default login`" in line


@pytest.mark.parametrize("content", [None, "no JSON", "{}"])
def test_a_wrong_key_file_is_one_line(calm_cloud, accounts, tmp_path_factory, capsys, content):
    accounts.log_out()
    accounts.patch.setenv(KEY_FILE, str(accounts.home / "key.json"))
    if content is not None:
        (accounts.home / "key.json").write_text(content)
    line = said("prepare", tmp_path_factory.mktemp("here"), capsys)
    assert "GOOGLE_APPLICATION_CREDENTIALS cannot be used" in line
    assert "key.json" in line
