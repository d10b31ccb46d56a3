import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import commands, evaluate, progress, scoreboard, train
from model.progress import Report
from tfrecords.errors import UserError
from tfrecords.shards import SPLITS


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
    command += ["--config=autoencoder_mini", "--epochs=2", "--seed=3", "--set=learning_rate=2e-3"]
    # TensorFlow, which this process has imported, sets a level of its own.
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return output, done


def test_train_ends_with_its_figures_and_what_to_do_next(run, data_dir):
    output, done = run
    assert done.stdout.startswith(f"{output}/saved_model  5 steps, ")
    assert "validation loss 0." in done.stdout
    model = f"{output}/saved_model"
    assert done.stdout.splitlines()[1:] == [
        f"next: autochrome evaluate --model {model} --data {data_dir}",
        f"or: autochrome colorize --input scans --output colour --model {model}",
    ]
    assert all(line.startswith("epoch ") for line in done.stderr.splitlines()), done.stderr
    record = json.loads((output / "saved_model" / "autochrome.json").read_text())
    assert (record["config"]["seed"], record["config"]["epochs"]) == (3, 2)
    assert record["config"]["learning_rate"] == 2e-3


def test_evaluate_prints_models_beside_grey_and_the_ceiling_and_writes_the_same(
    run, data_dir, saved_model_dir, tmp_path, capsys
):
    path, sheet = tmp_path / "scores.json", tmp_path / "sheet.png"
    models = [f"--model={run[0]}/saved_model", f"--model={saved_model_dir}"]
    assert evaluate.main([*models, f"--data={data_dir}", f"--json={path}", f"--sheet={sheet}"]) == 0
    table = capsys.readouterr().out
    assert table.endswith(f"{path}: the same scores\n{sheet}: grey, each model and the truth side by side\n")
    headings = ("PSNR↑", "pool↑", "ΔE00↓", "AuC↑", "bal.↑", "stain↓", "paled↓")
    assert all(heading in table for heading in (*headings, "↑ more is better"))
    assert max(map(len, table.splitlines()[:9])) <= 80
    figures = json.loads(path.read_text())
    assert (figures["images"], figures["grey_images"]) == (3, 0)
    first, second, ceiling, grey = figures["rows"]
    assert (ceiling["row"], grey["row"]) == ("truth at 16 px", "grey")
    assert (first["path"], second["path"]) == (f"{run[0]}/saved_model", saved_model_dir)
    assert first["row"] != second["row"]
    assert first["parameters"] == second["parameters"] == 15_384
    assert "15,384" in table
    for row in figures["rows"]:
        assert row["images"] == 3
        assert f"{row['pooled_psnr']:.2f}" in table
        assert ceiling["auc"] >= row["auc"] > 0
        assert ceiling["pooled_psnr"] >= row["pooled_psnr"]
    assert grey["colourfulness"] == pytest.approx(0, abs=0.5)
    assert grey["colourfulness_difference"] < ceiling["colourfulness_difference"] < 0
    # A heading, and L, two models and the truth of three pictures.
    assert np.asarray(Image.open(sheet)).shape == (scoreboard.HEADING + 3 * 32, 4 * 32, 3)


def test_scores_that_find_no_room_are_the_fault_of_the_disk(run, data_dir, capsys):
    words = [f"--model={run[0]}/saved_model", f"--data={data_dir}", "--json=/dev/full"]
    assert commands.run(lambda: evaluate.main(words)) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("autochrome: error: /dev/full cannot be written (No space left on device); ")


def test_evaluate_says_what_the_published_classifier_finds(capsys):
    rows = [
        scoreboard.Row(name=name, scores={"top1": top1, "fd_lite": distance})
        for name, top1, distance in (("mine", 71.25, 1.5), ("grey", 50.0, 20.125))
    ]
    counts = {"labelled": 40, "features": 1176, "top1": 75.0}
    board = scoreboard.Scoreboard(
        rows=rows, images=1176, grey_images=3, sheet=np.zeros((1, 1, 3), np.uint8), recognition=counts
    )
    evaluate.show(board, "validation")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "top-1 of EfficientNet-Lite0 on 40 photos with an ImageNet class: mine 71.2%, grey 50.0%, truth 75.0%",
        "FD-Lite on 1,176 photos: mine 1.50, grey 20.12",
    ]
    unjudged = [dataclasses.replace(row, scores={}) for row in rows]
    evaluate.show(dataclasses.replace(board, rows=unjudged, recognition={}), "validation")
    assert "EfficientNet" not in capsys.readouterr().out


@pytest.mark.parametrize("main", [train.main, evaluate.main])
def test_help_fits_a_screen(main, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert any(line.startswith("example:") for line in lines)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data=d", "--output=o", "--epoch=3"], "unknown flag --epoch=3; did you mean --epochs"),
        (["--data=d"], "train needs --output; for example: "),
        (["--data=d", "--output=o", "x"], "x is neither a flag nor the value of one; for example: "),
    ],
)
def test_unknown_missing_and_abbreviated_flags_are_errors(flags, said):
    with pytest.raises(UserError, match=said):
        train.main(flags)


def test_train_refuses_what_it_cannot_use(data_dir, tmp_path, capsys):
    mini = ["--config=autoencoder_mini", f"--output={tmp_path}/run"]
    assert "dataset.json" in error_of(train.main, f"--data={tmp_path}", *mini, capsys=capsys)
    assert "--config vgg is unknown; choose one of" in error_of(
        train.main, f"--data={data_dir}", "--output=run", "--config=vgg", capsys=capsys
    )
    assert "choose one of auto" in error_of(train.main, f"--data={data_dir}", *mini, "--strategy=both", capsys=capsys)
    assert "batch_size" in error_of(train.main, f"--data={data_dir}", *mini, "--batch_size=0", capsys=capsys)
    assert "no field depth; the fields are " in error_of(
        train.main, f"--data={data_dir}", *mini, "--set=depth=3", capsys=capsys
    )
    assert "--max_minutes" in error_of(train.main, f"--data={data_dir}", *mini, "--max_minutes=0", capsys=capsys)
    assert "pretrained=true needs a network on EfficientNet, not autoencoder" in error_of(
        train.main, f"--data={data_dir}", *mini, "--set=pretrained=true", capsys=capsys
    )
    assert "weight_decay 0.1 needs optimizer adamw, not adam" in error_of(
        train.main, f"--data={data_dir}", *mini, "--set=weight_decay=0.1", capsys=capsys
    )
    (tmp_path / "file").write_text("")
    unwritable = ["--config=autoencoder_mini", f"--output={tmp_path}/file"]
    assert "cannot be written" in error_of(train.main, f"--data={data_dir}", *unwritable, capsys=capsys)
    assert not (tmp_path / "run").exists()


def test_a_damaged_shard_is_one_line_that_names_it(run, data_dir, tmp_path, capsys):
    damaged = Path(shutil.copytree(data_dir, tmp_path / "my records"))
    shards = [max(damaged.glob(f"{split}-*.tfrecord"), key=lambda path: path.stat().st_size) for split in SPLITS]
    for path in shards:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    flags = ["--config=autoencoder_mini", f"--output={tmp_path}/run", f"--data={damaged}"]
    assert commands.run(lambda: train.main(flags)) == 2
    said = capsys.readouterr().err.splitlines()[-1]  # after the progress
    assert said.startswith(f"autochrome: error: {shards[0]} is damaged: ")
    assert f"run `autochrome inspect '{damaged}' --verify`" in said
    flags = [f"--model={run[0]}/saved_model", f"--data={damaged}"]
    assert f"{damaged}/" in error_of(evaluate.main, *flags, capsys=capsys)


def test_a_run_that_was_not_validated_says_so_and_names_no_command_that_is_refused():
    from model.trainer import Result

    result = Result(
        saved_model="run/saved_model",
        step=3,
        epoch=1.5,
        seconds=2.0,
        loss=0.25,
        validation_loss=None,
        best_step=3,
        trained=True,
        interrupted=False,
    )
    scores = "3 steps, 1.50 epochs, 2 s, loss 0.25000, not validated: these are the last weights"
    assert list(train.summary(result, "records")) == [
        f"run/saved_model  {scores}",
        "next: autochrome colorize --input scans --output colour --model run/saved_model",
    ]


def test_evaluate_refuses_what_it_cannot_use(run, data_dir, write_set, tmp_path, capsys):
    model = f"--model={run[0]}/saved_model"
    assert "does not exist" in error_of(evaluate.main, "--model=none", f"--data={data_dir}", capsys=capsys)
    assert "its model is" in error_of(evaluate.main, f"--model={run[0]}", f"--data={data_dir}", capsys=capsys)
    assert "dataset.json" in error_of(evaluate.main, model, f"--data={tmp_path}", capsys=capsys)
    flags = [model, f"--data={data_dir}", f"--json={tmp_path}/none/scores.json"]
    assert "--json" in error_of(evaluate.main, *flags, capsys=capsys)
    flags = [model, f"--data={data_dir}", f"--sheet={tmp_path}/sheet.txt"]
    assert "must end in .png" in error_of(evaluate.main, *flags, capsys=capsys)
    larger = write_set(tmp_path / "larger", 64)
    assert "64 px" in error_of(evaluate.main, model, f"--data={larger}", capsys=capsys)
    empty = write_set(tmp_path / "empty", 32, validation=0)
    assert "no validation examples" in error_of(evaluate.main, model, f"--data={empty}", capsys=capsys)


def test_a_user_error_becomes_one_line_and_exit_code_2(capsys):
    def main() -> int:
        raise UserError("the thing and the fix")

    assert commands.run(main) == 2
    assert capsys.readouterr().err == "autochrome: error: the thing and the fix\n"


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
