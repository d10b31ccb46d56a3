import dataclasses
import json
import subprocess
import sys

import pytest

from model import config as configs
from tfrecords.errors import UserError


@pytest.mark.parametrize("name", sorted(configs.CONFIGS))
def test_a_configuration_is_found_by_its_name_and_survives_json(name):
    config = configs.by_name(name)
    assert config.name == name
    assert configs.Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UserError, match=r"--config resnet is unknown; .*autoencoder, autoencoder_mini"):
        configs.by_name("resnet")


def test_fields_that_were_added_later_have_their_defaults():
    stored = configs.released_1().to_dict()
    for field in ("mounts", "hints", "export_resolution", "prior_adjustment", "most_spread", "precision", "jit"):
        del stored[field]
    assert configs.Config.from_dict(stored) == configs.released_1()


def test_a_stored_configuration_with_other_fields_is_refused():
    stored = configs.autoencoder().to_dict() | {"dropout": 0.5}
    with pytest.raises(UserError, match="dropout"):
        configs.Config.from_dict(stored)


def test_fields_are_set_from_text_by_their_types():
    config = configs.unet().override(["width=8", "learning_rate=2e-4", "flip=False", "loss=huber", "width=16"])
    expected = dataclasses.replace(configs.unet(), width=16, learning_rate=2e-4, flip=False, loss="huber")
    assert config == expected
    assert configs.unet().override([]) == configs.unet()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("width", "takes name=value, not 'width'"),
        ("depth=3", "no field depth; the fields are network, width"),
        ("name=x", "no field name;"),
        ("width=8.5", "width is a whole number"),
        ("clip_norm=much", "clip_norm is a number"),
        ("flip=1", "flip is true or false"),
        ("crop=0", "crop must be more than 0"),
        ("averaging=1", "averaging must be from 0 to 1"),
        ("optimizer=sgd", "optimizer must be one of adam, adamw"),
        ("precision=float8", "precision must be one of float32, bfloat16, float16, not 'float8'"),
        ("jit=maybe", "jit is true or false"),
        ("learning_rate=nan", "learning_rate must be more than 0"),
        ("optimizer=adam", "weight_decay 0.01 needs optimizer adamw, not adam; .*weight_decay=0"),
    ],
)
def test_what_cannot_be_set_is_one_line(assignment, message):
    with pytest.raises(UserError, match=message) as error:
        configs.unet().override([assignment])
    assert "\n" not in str(error.value)


def test_every_configuration_has_a_miniature_twin():
    for name in configs.CONFIGS:
        twin = configs.by_name(name if name.endswith("_mini") else f"{name}_mini")
        assert twin.width <= 4
        assert twin.size <= 32


def test_the_module_does_not_import_tensorflow():
    code = "import sys, model.config, model.saved_model; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
