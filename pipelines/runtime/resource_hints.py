"""Choose the resources that stages with pixels request for their workers.

Dataflow chooses machines by stage, and takes ``min_ram`` as the memory of a whole worker, whatever its number of cores.
The value is for two cores: two processes of two threads, each with the largest accepted photo (179 megapixels).
``tests/bench/scale_bench.py`` measured 10 bytes per pixel in ``prepare``, for formats that cannot be shrunk while they
are decoded, and 7 in ``colorize``, in addition to TensorFlow and the model.

Other runners get no hints: they do not choose machines, and start a second set of workers for stages that have hints.
"""

from apache_beam.options.pipeline_options import DebugOptions, GoogleCloudOptions, PipelineOptions

from pipelines.runtime import runners

MIN_RAM = "8GB"
_ONE_PROCESS = "no_use_multiple_sdk_containers"  # Dataflow's name for it


def of(options: PipelineOptions, accelerator: str = "") -> dict[str, str]:
    """Return the resource hints of a stage; empty if the runner or the price (FlexRS) does not allow any.

    With an accelerator, workers get one process each instead of one for each core: processes cannot share its memory.

    Args:
        options: of Beam.
        accelerator: in Dataflow's notation, such as ``type:nvidia-l4;count:1;install-nvidia-driver``; '' for none.
    """
    if not runners.is_dataflow(options) or options.view_as(GoogleCloudOptions).flexrs_goal:
        return {}
    if not accelerator:
        return {"min_ram": MIN_RAM}
    options.view_as(DebugOptions).add_experiment(_ONE_PROCESS)
    return {"min_ram": MIN_RAM, "accelerator": accelerator}
