from hypothesis import given
from hypothesis import strategies as st

from pipelines.files.distinct import Distinct


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"/caf\xe9"]), st.integers(0, 20))))
def test_a_file_counts_once_however_often_it_is_found(found):
    with Distinct() as files:
        for path, offset in found:
            files.add((path, offset), 100 + offset)
        assert files.totals() == (len(set(found)), sum(100 + offset for _, offset in set(found)))
