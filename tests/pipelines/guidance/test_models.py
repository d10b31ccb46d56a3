from model import saved_model
from pipelines.guidance import models


def test_it_is_known_what_a_model_is_before_it_is_loaded():
    released, first = models.load("released"), models.load("released_1")
    assert (released.name, released.digest) == ("released", saved_model.digest("released"))
    assert (released.takes_hints, first.takes_hints) == (True, False)
    assert released.data["examples"]["train"] == 239095
