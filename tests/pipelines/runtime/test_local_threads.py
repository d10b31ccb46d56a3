import os

import pytest

from pipelines.runtime import local_threads

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("flags", "number"),
    [
        ([], CORES),
        (["--direct_num_workers=3"], 3),
        (["--direct_num_workers", "3", "--direct_num_workers=5"], 5),
        (["--direct_num_workers=0"], CORES),
        (["--direct_num_workers=many"], CORES),  # Beam refuses it later
        (["--direct_num_workers=3", "--direct_running_mode=multi_processing"], 1),
    ],
)
def test_workers_are_threads_of_one_process_unless_a_mode_is_given(flags, number):
    assert local_threads.number(flags) == number


def test_processes_that_open_photos_are_started_early_only_where_they_are_sure_to_be_used():
    assert local_threads.is_one_process(["--temp_location=/tmp"])
    assert not local_threads.is_one_process(["--runner=DataflowRunner"])
    assert not local_threads.is_one_process(["--direct_running_mode", "multi_processing"])


def test_whether_a_number_is_given():
    assert local_threads.is_number_given(["--direct_num_workers", "2"])
    assert not local_threads.is_number_given(["--direct_running_mode=multi_processing"])
