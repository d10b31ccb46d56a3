import numpy as np
import pytest

from model import export, networks
from model.config import autoencoder, mini
from pipelines import cli, colorize
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Context
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.render import render
from pipelines.errors import JobFailedError, ModelError
from pipelines.files.sources import Source
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.description import Description


@pytest.fixture(scope="module")
def nan_model(tmp_path_factory) -> str:
    """A SavedModel that was trained until its weights were no numbers."""
    config = mini(autoencoder())
    network = networks.build(config)
    kernel, bias = network.get_layer("chroma").get_weights()
    network.get_layer("chroma").set_weights([kernel, np.full_like(bias, np.nan)])
    path = str(tmp_path_factory.mktemp("model") / "saved_model")
    description = Description(size=config.size, splits={}, settings={}, outcomes={})
    export.write(path, config, network.get_weights(), description, {})
    return path


def test_a_model_that_gives_nan_ends_the_job_and_no_photo_is_written(nan_model, photo_tree, tmp_path, capsys):
    flags = [f"--input={photo_tree}/*.jpg", f"--output={tmp_path / 'out'}", f"--model={nan_model}"]
    with pytest.raises(
        JobFailedError, match=r"^the job failed: the model predicts colours that are not finite numbers"
    ):
        colorize.main(flags)
    assert not list((tmp_path / "out").glob("*.jpg"))
    assert not (tmp_path / "out" / "report.json").exists()
    assert (
        cli.main(["colorize", f"--input={photo_tree / 'moon.jpg'}", f"--output={tmp_path / 'a.jpg'}", flags[-1]]) == 1
    )
    assert "not finite numbers" in capsys.readouterr().err
    assert not (tmp_path / "a.jpg").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_an_error_of_the_model(bad, encoded, grey_photos, tmp_path):
    def predict(luminance: np.ndarray, hints: None) -> np.ndarray:
        chroma = np.zeros((1, 32, 32, 2), np.float32)
        chroma[0, 31, 31, 1] = bad
        return chroma

    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    settings = Settings()
    processes = PhotoProcesses(render)
    recipe = Recipe(model="m", model_digest="0" * 64, settings=settings, settings_digest=settings.digest())
    context = Context(
        recipe=recipe,
        size=32,
        predict=predict,
        save=lambda record, files: record,
        processes=processes,
        load=lambda model: pytest.fail(f"{model} is not wanted"),
    )
    source = Source(uri=str(tmp_path / "a.jpg"), name="a.jpg", size=1, fingerprint="1-1")
    with pytest.raises(ModelError, match="not finite numbers"):
        attempt(NamedSource(source=source, own="a.jpg", stem="a.jpg"), context)
