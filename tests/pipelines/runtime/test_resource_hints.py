import pytest
from apache_beam.options.pipeline_options import DebugOptions

from pipelines.runtime import resource_hints
from pipelines.runtime.runners import beam_options

GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
DATAFLOW = ["--runner=DataflowRunner", "--project=archive", "--region=europe-west1", "--temp_location=gs://bucket/tmp"]


def test_dataflow_is_asked_for_memory_and_for_a_gpu_only_when_one_is_wanted():
    options = beam_options(DATAFLOW)
    assert resource_hints.of(options) == {"min_ram": "8GB"}
    assert options.view_as(DebugOptions).experiments is None
    assert resource_hints.of(options, GPU) == {"min_ram": "8GB", "accelerator": GPU}
    # Processes that share a GPU would compete for its memory.
    assert options.view_as(DebugOptions).experiments == ["no_use_multiple_sdk_containers"]


@pytest.mark.parametrize("flags", [[], ["--runner=FlinkRunner"], [*DATAFLOW, "--flexrs_goal=COST_OPTIMIZED"]])
def test_others_are_asked_for_nothing(flags):
    assert resource_hints.of(beam_options(flags), GPU) == {}
