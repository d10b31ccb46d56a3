import pytest

from pipelines.dataset import classes


@pytest.mark.parametrize(
    ("name", "label", "synset"),
    [
        ("0/000.jpg", "n01440764", "n01440764"),
        ("0/000.jpg", "417", "417"),
        ("0/000.jpg", "", ""),
        ("n01440764/000.jpg", "0", "n01440764"),
        ("n01440764/000.jpg", "", "n01440764"),
        ("0/n01440764_10026.JPEG", "0", "n01440764"),
        ("0/n01440764_10026.JPEG", "", ""),
    ],
)
def test_a_class_is_a_wordnet_id_if_one_is_known(name, label, synset):
    assert classes.synset(name, label) == synset
