import pickle

import pytest

from pipelines.errors import JobFailedError, ModelError, PhotoProcessError, Rejected, Undecided
from tfrecords.errors import UserError, WorldError


@pytest.mark.parametrize("kind", [Rejected, Undecided])
def test_a_verdict_on_a_photo_keeps_its_reason_in_other_processes(kind):
    again = pickle.loads(pickle.dumps(kind("unreadable", "cut short")))
    assert (type(again), again.reason, again.detail) == (kind, "unreadable", "cut short")


def test_three_kinds_of_fault_are_never_mixed():
    for kind in (ModelError, PhotoProcessError):
        assert issubclass(kind, WorldError)
    for kind in (Rejected, Undecided, JobFailedError):
        assert not issubclass(kind, WorldError | UserError)
    assert not issubclass(Rejected, Undecided)
    assert not issubclass(Undecided, Rejected)
