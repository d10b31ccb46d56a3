import pytest

from tfrecords.words import counted, first


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (2_000, "2,000 files")])
def test_one_thing_is_not_several(number, said):
    assert counted(number, "file") == said


@pytest.mark.parametrize(
    ("names", "number", "said"),
    [
        ("", 0, ""),
        ("a", 0, "a"),
        ("abc", 0, "a, b, c"),
        ("abcd", 0, "a, b, c and 1 more"),
        ("ab", 2000, "a, b and 1,998 more"),
    ],
)
def test_the_first_names_and_how_many_others(names, number, said):
    assert first(list(names), 3, number) == said
