import json
import subprocess
import sys

import pytest

from model import commands, evaluate, progress, train
from model.trainer import Report
from tfrecords.errors import UserError


def error_of(main, *argv: str, capsys) -> str:
    """The one line that a command which fails prints."""
    assert commands.run(lambda: main(list(argv))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("autochrome: error: ")
    return err


@pytest.fixture(scope="module")
def run(data_dir, tmp_path_factory):
    """What `python -m model.train` made and printed."""
    output = tmp_path_factory.mktemp("cli") / "run"
    command = [sys.executable, "-m", "model.train", f"--data={data_dir}", f"--output={output}"]
    command += ["--config=autoencoder_mini", "--epochs=2", "--seed=3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output, done


def test_train_ends_with_one_line_and_is_quiet_otherwise(run):
    output, done = run
    assert done.stdout.startswith(f"{output}/saved_model  5 steps, ")
    assert "validation loss 0." in done.stdout
    assert done.stdout.count("\n") == 1
    assert all(line.startswith("epoch ") for line in done.stderr.splitlines()), done.stderr
    record = json.loads((output / "saved_model" / "autochrome.json").read_text())
    assert (record["config"]["seed"], record["config"]["epochs"]) == (3, 2)


def test_evaluate_prints_the_model_beside_grey_and_writes_the_same_as_json(run, data_dir, tmp_path, capsys):
    path = tmp_path / "scores.json"
    assert evaluate.main([f"--model={run[0]}/saved_model", f"--data={data_dir}", f"--json={path}"]) == 0
    table = capsys.readouterr().out
    figures = json.loads(path.read_text())
    for row in ("model", "grey"):
        assert figures[row]["images"] == 3
        for key in ("mean_psnr", "pooled_psnr", "mean_ciede2000"):
            assert f"{figures[row][key]:.2f}" in table
    assert figures["grey"]["pooled_psnr"] <= figures["grey"]["mean_psnr"]
    assert figures["model"]["name"] == "autoencoder_mini"


@pytest.mark.parametrize("main", [train.main, evaluate.main])
def test_help_fits_a_screen(main, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert any(line.startswith("example:") for line in lines)


@pytest.mark.parametrize(
    "flags", [["--data=d", "--output=o", "--epoch=3"], ["--data=d"], ["--data=d", "--output=o", "x"]]
)
def test_unknown_missing_and_abbreviated_flags_are_errors(flags):
    with pytest.raises(UserError, match="--help"):
        train.main(flags)


def test_train_refuses_what_it_cannot_use(data_dir, tmp_path, capsys):
    mini = ["--config=autoencoder_mini", f"--output={tmp_path}/run"]
    assert "dataset.json" in error_of(train.main, f"--data={tmp_path}", *mini, capsys=capsys)
    assert "no configuration 'vgg'" in error_of(
        train.main, f"--data={data_dir}", "--output=run", "--config=vgg", capsys=capsys
    )
    assert "choose one of auto" in error_of(train.main, f"--data={data_dir}", *mini, "--strategy=both", capsys=capsys)
    assert "batch_size" in error_of(train.main, f"--data={data_dir}", *mini, "--batch_size=0", capsys=capsys)
    assert "--max_minutes" in error_of(train.main, f"--data={data_dir}", *mini, "--max_minutes=0", capsys=capsys)
    (tmp_path / "file").write_text("")
    unwritable = ["--config=autoencoder_mini", f"--output={tmp_path}/file"]
    assert "cannot be written" in error_of(train.main, f"--data={data_dir}", *unwritable, capsys=capsys)
    assert not (tmp_path / "run").exists()


def test_evaluate_refuses_what_it_cannot_use(run, data_dir, write_set, tmp_path, capsys):
    model = f"--model={run[0]}/saved_model"
    assert "does not exist" in error_of(evaluate.main, "--model=none", f"--data={data_dir}", capsys=capsys)
    assert "its model is" in error_of(evaluate.main, f"--model={run[0]}", f"--data={data_dir}", capsys=capsys)
    assert "dataset.json" in error_of(evaluate.main, model, f"--data={tmp_path}", capsys=capsys)
    flags = [model, f"--data={data_dir}", f"--json={tmp_path}/none/scores.json"]
    assert "cannot be written" in error_of(evaluate.main, *flags, capsys=capsys)
    larger = write_set(tmp_path / "larger", 64)
    assert "64 px" in error_of(evaluate.main, model, f"--data={larger}", capsys=capsys)
    empty = write_set(tmp_path / "empty", 32, validation=0)
    assert "no validation examples" in error_of(evaluate.main, model, f"--data={empty}", capsys=capsys)


def test_a_user_error_becomes_one_line_and_exit_code_2(capsys):
    def main() -> int:
        raise UserError("the thing and the mend")

    assert commands.run(main) == 2
    assert capsys.readouterr().err == "autochrome: error: the thing and the mend\n"


def test_a_report_as_a_line():
    report = Report(
        step=50,
        steps=200,
        epoch=1.25,
        epochs=5,
        loss=0.0123456,
        images_per_s=12.34,
        seconds=100,
        limit_s=200.0,
        validation_loss=0.02,
        resumed=False,
    )
    expected = "epoch 1.25/5  step 50/200  loss 0.01235  validation 0.02000  12.3 images/s  0:01:40 left"
    assert progress.line(report) == expected
