import re

from model.synsets import CLASSES, SYNSETS


def test_there_are_a_thousand_classes_in_the_order_of_their_ids():
    assert len(SYNSETS) == len(CLASSES) == 1000
    assert list(SYNSETS) == sorted(SYNSETS)
    assert all(re.fullmatch(r"n\d{8}", synset) for synset in SYNSETS)
    # Tench, Egyptian cat, espresso, toilet tissue.
    known = {"n01440764": 0, "n02124075": 285, "n07920052": 967, "n15075141": 999}
    assert {synset: CLASSES[synset] for synset in known} == known
