import threading

import pytest
from apache_beam.metrics.execution import MetricsContainer
from apache_beam.runners.worker import statesampler
from apache_beam.utils.counters import CounterFactory

from pipelines.dataset.measures import Measures
from pipelines.runtime.outcomes import Outcome


@pytest.fixture
def container():
    sampler = statesampler.StateSampler("test", CounterFactory())
    container = MetricsContainer("step")
    state = sampler.scoped_state("step", "process", metrics_container=container)
    statesampler.set_current_tracker(sampler)
    try:
        sampler.start()
        with state:
            yield container
    finally:
        sampler.stop()
        statesampler.set_current_tracker(None)


def test_what_a_thread_measured_is_counted_once(container):
    measures = Measures()

    def work() -> None:
        measures.add("photo_bytes", 5)
        measures.add("photo_bytes", 7)
        measures.add_outcome(Outcome(name="a.jpg", status="rejected", reason="toned"))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    measures.count()
    measures.count()
    [found] = container.get_cumulative().distributions.values()
    assert (found.sum, found.count, found.min, found.max) == (12, 2, 5, 7)
    [(name, number)] = container.get_cumulative().counters.items()
    assert (name.metric.name, number) == ("toned", 1)


def test_stages_are_measured_even_if_they_fail(container):
    measures = Measures()
    with pytest.raises(ValueError, match="cut"), measures.stage("read"):
        raise ValueError("cut")
    measures.add_times({"decode": 2.0})
    measures.count()
    found = {name.metric.name: value for name, value in container.get_cumulative().distributions.items()}
    assert found["read_microseconds"].sum >= 0
    assert found["decode_microseconds"].sum == 2000
