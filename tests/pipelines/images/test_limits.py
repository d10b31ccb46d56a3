import itertools
import mmap
import resource

import pytest

from pipelines.images.limits import MOST_PIXELS, Limits, address_space, enforced, waiting


def test_a_small_file_has_half_a_minute_and_two_and_a_half_gigabytes():
    limits = Limits.of(999_999)
    assert limits.processor == 30
    assert limits.memory < 2.4e9
    assert limits.wall >= 600
    assert Limits.of(1_000_000).memory > limits.memory


def test_limits_grow_with_the_file():
    sizes = [0, 999_999, 1_000_000, 10_000_000, 1_000_000_000]
    found = [Limits.of(size) for size in sizes]
    for smaller, larger in itertools.pairwise(found):
        assert smaller.memory <= larger.memory
        assert smaller.processor <= larger.processor
        assert smaller.wall <= larger.wall


def test_the_user_may_raise_them():
    usual = Limits.of(1000)
    assert Limits.of(1000, most_pixels=2 * MOST_PIXELS).memory == 2 * usual.memory
    assert Limits.of(1000, most_pixels=MOST_PIXELS // 2).memory == usual.memory
    assert Limits.of(1000, seconds=900).processor == 900
    assert Limits.of(1000, seconds=900).wall >= 3600


def test_they_hold_inside_the_block_and_not_after_it():
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU)
    before = [resource.getrlimit(kind) for kind in kinds]
    at_rest = address_space()
    assert at_rest > 0
    with enforced(Limits(memory=50_000_000, processor=100, wall=100), at_rest):
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == at_rest + 50_000_000
        with waiting():
            pass
        # Not `bytearray`: it may find this much in memory that earlier tests gave back.
        with pytest.raises(OSError, match="Cannot allocate memory"):
            mmap.mmap(-1, 100_000_000)
    assert [resource.getrlimit(kind) for kind in kinds] == before
    mmap.mmap(-1, 100_000_000).close()
