import pytest

from tfrecords.words import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (2_000, "2,000 files")])
def test_one_thing_is_not_several(number, said):
    assert counted(number, "file") == said
