import random

from pipelines.viewer.ids import Ids

RANDOM = random.Random(0)
IDS = [f"{RANDOM.getrandbits(80):020x}" for _ in range(300)]


def test_a_set_has_its_ids_and_no_others():
    ids = Ids(IDS[:200] + IDS[:50])
    assert len(ids) == 200
    assert all((id_ in ids) == (place < 200) for place, id_ in enumerate(IDS))
    assert IDS[0] not in Ids()


def test_sets_are_joined_and_compared():
    assert len(Ids(IDS[:200]) | IDS[150:250]) == 250
    assert Ids(IDS[:200]).missing_from(Ids(IDS[150:])) == 150
    assert Ids().missing_from(Ids(IDS)) == 0
