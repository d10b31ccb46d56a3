import dataclasses
import json

import jax_process
import numpy as np
import pytest
import tiny

from model import commands, initial, jax_train, saved_model, strategy, trainer, weights
from pipelines import pack


@pytest.fixture(scope="module")
def run(packed, undisturbed, tmp_path_factory):
    """The folder and the output of the command, on a machine without TensorFlow."""
    output = tmp_path_factory.mktemp("jax_train") / "run"
    words = [f"--data={packed}", f"--output={output}", "--config=tiny:CONFIG", "--set=learning_rate=2e-3"]
    words.append(f"--init={undisturbed}/saved_model")
    done = jax_process.run("-m", "model.jax_train", *words, "--epochs=1")
    assert done.returncode == 0, done.stderr
    return output, done


def test_weights_and_figures_are_made_without_tensorflow(run, packed):
    output, done = run
    found = weights.read(output / weights.FILE)
    assert found.config == dataclasses.replace(tiny.CONFIG, learning_rate=2e-3, epochs=1)
    contents = pack.packs.describe(packed)
    assert found.data["fingerprint"] == contents.fingerprint
    assert found.data["source"] == contents.source["fingerprint"]
    assert found.training["steps"] == 3
    assert done.stdout.startswith(f"{output}/weights.npz  3 steps, ")
    assert "autochrome export --weights" in done.stdout
    assert all(line.startswith("epoch ") for line in done.stderr.splitlines()), done.stderr


def test_it_starts_from_a_model_that_the_other_trainer_exported(run, undisturbed):
    model = str(undisturbed / "saved_model")
    moved = zip(weights.read(run[0] / weights.FILE).arrays, initial.read(model), strict=True)
    assert max(np.abs(one - other).max() for one, other in moved) < 3 * 2e-3 + 1e-5
    assert json.loads((run[0] / "config.json").read_text())["init"] == saved_model.digest(model)


def test_the_log_has_the_fields_of_the_other_trainer(run, undisturbed):
    logs = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (run[0], undisturbed)]
    mine, others = ([json.loads(line) for line in log] for log in logs)
    assert mine[-1].keys() == others[-1].keys()


def test_the_other_trainer_starts_from_the_weights(run, data_dir, tmp_path):
    path = str(run[0] / weights.FILE)
    config = dataclasses.replace(tiny.CONFIG, learning_rate=1e-9, epochs=1)
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), init=path)
    for one, other in zip(initial.read(result.saved_model), initial.read(path), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "needs --data and --output and --config"),
        (
            ["--data=p", "--output=o", "--config=unet", "--precision=float8"],
            "must be float32, bfloat16 or float16",
        ),
        (["--data=p", "--output=o", "--config=unet"], "KERAS_BACKEND is tensorflow; set KERAS_BACKEND=jax"),
    ],
)
def test_mistakes_are_one_line(words, what, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert commands.run(lambda: jax_train.main(words)) == 2
    said = capsys.readouterr().err
    assert what in said
    assert said.count("\n") == 1


def test_a_machine_without_jax_is_told_what_to_install(capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(jax_train, "NEEDED", {"no_such_jax": "jax", "cv2": "opencv-python-headless"})
    assert commands.run(lambda: jax_train.main(["--data=p", "--output=o", "--config=unet"])) == 2
    assert "jax is missing; pip install 'jax[cuda12]'" in capsys.readouterr().err


def test_paths_must_be_on_the_machine(capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    words = ["--data=gs://bucket/packs", "--output=o", "--config=unet"]
    assert commands.run(lambda: jax_train.main(words)) == 2
    assert "--data gs://bucket/packs must be on this machine" in capsys.readouterr().err


def test_a_seed_that_jax_cannot_take_is_refused(packed, tmp_path):
    words = [f"--data={packed}", f"--output={tmp_path / 'run'}", "--config=tiny:CONFIG", "--set=seed=42949672"]
    done = jax_process.run("-m", "model.jax_train", *words)
    assert done.returncode == 2
    assert done.stderr == "autochrome: error: seed must be from 0 to 42949671 on JAX, not 42949672\n"
    assert not (tmp_path / "run").exists()
