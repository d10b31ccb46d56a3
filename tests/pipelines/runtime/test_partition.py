from pipelines.runtime.partition import WHOLE, Partition


def test_every_index_and_every_hash_is_in_one_partition():
    for key in (0, 1, 7, b"\0\0", b"\xff\x01"):
        assert sum(Partition(index, 5).has(key) for index in range(1, 6)) == 1
        assert WHOLE.has(key)
    assert [index for index in range(9) if Partition(2, 4).has(index)] == [1, 5]
    assert str(Partition(2, 4)) == "2/4"
