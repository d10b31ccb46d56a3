import pickle

import pytest

from tfrecords import errors


@pytest.mark.parametrize("kind", [errors.OutageError, errors.DeniedError, errors.LostLeaseError])
def test_faults_of_the_world_are_never_those_of_the_user(kind):
    assert issubclass(kind, errors.WorldError)
    assert not issubclass(kind, errors.UserError)


@pytest.mark.parametrize("kind", [errors.UserError, errors.OutageError, errors.DeniedError, errors.LostLeaseError])
def test_an_error_comes_through_from_another_process(kind):
    again = pickle.loads(pickle.dumps(kind("gs://b is forbidden")))
    assert (type(again), str(again)) == (kind, "gs://b is forbidden")
