"""What the stages that hold pixels ask of the machines they run on.

Dataflow fits its machines to a stage, and takes ``min_ram`` as the memory of a whole worker, whatever its cores. The
figures are for two cores: two processes of two threads, each with the largest photo that is accepted (179 megapixels)
in hand. ``tests/bench/scale_bench.py`` measures the bytes a pixel that they rest on.

Other runners get no hints: they fit no machines, but start a second set of worker processes for stages that have any.
"""

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, StandardOptions

PREPARE_RAM = "6GB"
COLORIZE_RAM = "8GB"


def of(ram: str, options: PipelineOptions, accelerator: str = "") -> dict[str, str]:
    """The resource hints of a stage; none where the runner or the price (FlexRS) does not allow any.

    Args:
        ram: memory of the worker, with its unit.
        options: of Beam.
        accelerator: in Dataflow's words, such as ``type:nvidia-l4;count:1;install-nvidia-driver``; empty for none.
    """
    runner = str(options.view_as(StandardOptions).runner)
    if runner.lower().removesuffix("runner") != "dataflow" or options.view_as(GoogleCloudOptions).flexrs_goal:
        return {}
    return {"min_ram": ram, "accelerator": accelerator} if accelerator else {"min_ram": ram}
