from model import color_spaces, space_names


def test_every_name_has_its_space():
    assert tuple(color_spaces.SPACES) == space_names.NAMES
