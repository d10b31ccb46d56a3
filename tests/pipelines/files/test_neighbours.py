import pytest

from pipelines.files.neighbours import Neighbours


def known(readable: set[str], beside: list[str] | None = None) -> Neighbours:
    return Neighbours(lambda path: path in readable, lambda path: beside or [])


def test_one_file_is_not_its_own_neighbour():
    of_disk = known({"a"}, beside=["a"])
    of_disk.was_read("a")
    assert not of_disk.can_be_read("a")
    assert of_disk.can_be_read("b")


def test_what_was_read_before_is_asked_for_again():
    readable = {"a", "b"}
    of_disk = known(readable)
    of_disk.was_read("a")
    assert of_disk.can_be_read("c")
    readable.clear()
    assert not of_disk.can_be_read("c")


def test_where_nothing_was_read_files_beside_it_are_asked_for():
    assert known({"b"}, beside=["a", "b"]).can_be_read("c")
    assert not known(set(), beside=["a", "b"]).can_be_read("c")


def test_files_read_before_that_are_gone_leave_those_beside_it():
    of_disk = known({"new"}, beside=["new"])
    of_disk.was_read("old")
    assert of_disk.can_be_read("c")


@pytest.mark.parametrize(("read", "allowed"), [(0, 5), (100, 5), (990, 10), (9900, 100)])
def test_a_few_files_may_be_refused_or_one_in_a_hundred(read, allowed):
    of_bucket = known(set())
    for index in range(read):
        of_bucket.was_read(f"{index}")
    verdicts = [of_bucket.is_one_of_few(f"refused {index}") for index in range(allowed + 1)]
    assert verdicts == [True] * allowed + [False]


def test_a_file_that_is_refused_again_is_not_another_one():
    of_bucket = known(set())
    assert all(of_bucket.is_one_of_few("a") for _ in range(100))
