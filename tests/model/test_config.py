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
    with pytest.raises(UserError, match=r"'resnet'.*autoencoder, autoencoder_mini"):
        configs.by_name("resnet")


def test_a_stored_configuration_with_other_fields_is_refused():
    stored = configs.autoencoder().to_dict() | {"dropout": 0.5}
    with pytest.raises(UserError, match="dropout"):
        configs.Config.from_dict(stored)


@pytest.mark.parametrize(("field", "value"), [("size", 100), ("epochs", 0), ("batch_size", -1), ("seed", -1)])
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(UserError, match=field):
        dataclasses.replace(configs.autoencoder(), **{field: value})


def test_the_module_does_not_import_tensorflow():
    code = "import sys, model.config, model.saved_model; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
