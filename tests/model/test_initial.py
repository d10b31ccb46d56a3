import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from model import export, networks, strategy, trainer
from model.config import autoencoder, mini, unet
from tfrecords import dataset
from tfrecords.errors import UserError

CONFIG = dataclasses.replace(mini(autoencoder()), learning_rate=1e-9, epochs=1, seed=5)


def weights(path: str) -> list[np.ndarray]:
    loaded = tf.saved_model.load(path)
    return [variable.numpy().astype(np.float32) for variable in loaded.signatures["serving_default"].variables]


@pytest.fixture(scope="module")
def model(data_dir, tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("init") / "saved_model")
    network = networks.build(mini(autoencoder()))
    export.write(path, mini(autoencoder()), network.get_weights(), dataset.read_description(data_dir), {})
    return path


def test_a_run_starts_from_the_weights_of_an_exported_model(model, data_dir, tmp_path):
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), init=model)
    for one, other in zip(weights(model), weights(result.saved_model), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


def test_another_network_is_refused(model, data_dir, tmp_path):
    config = dataclasses.replace(mini(unet()), epochs=1)
    with pytest.raises(UserError, match="holds another network"):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), init=model)


def test_a_run_goes_on_only_with_the_model_it_started_from(model, data_dir, tmp_path):
    trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), init=model)
    with pytest.raises(UserError, match="init"):
        trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
