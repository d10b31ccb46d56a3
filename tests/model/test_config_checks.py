import dataclasses
import math

import pytest

from model import config as configs
from tfrecords.errors import UserError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resolution", 100),
        ("resolution", 264),
        ("epochs", 0),
        ("batch_size", -1),
        ("seed", -1),
        ("seed", 2**53 + 1),
        ("clip_norm", math.inf),
    ],
)
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(UserError, match=field):
        dataclasses.replace(configs.autoencoder(), **{field: value})


def test_a_setting_that_would_be_ignored_is_refused():
    """Each field works with one choice of another field alone."""
    assert configs.unet().override(["optimizer=adam", "weight_decay=0"]).weight_decay == 0
    with pytest.raises(UserError, match=r"weight_decay 0\.1 needs optimizer adamw, not adam"):
        configs.autoencoder().override(["weight_decay=0.1"])
    with pytest.raises(UserError, match=r"temperature 0\.5 needs loss cross_entropy, not mean_squared_error"):
        configs.autoencoder().override(["temperature=0.5"])
    with pytest.raises(UserError, match=r"rebalance 0\.5 needs loss cross_entropy, not mean_squared_error"):
        configs.autoencoder().override(["rebalance=0.5"])


def test_a_weight_decay_without_end_is_refused():
    with pytest.raises(UserError, match="weight_decay must be 0 or more, not inf"):
        configs.unet().override(["weight_decay=inf"])
