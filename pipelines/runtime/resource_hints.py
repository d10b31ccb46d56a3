"""What the stages that hold pixels ask of the machines they run on.

Dataflow fits its machines to a stage, and takes ``min_ram`` as the memory of a whole worker, whatever its cores. It is
meant for two cores: two processes of two threads, each with the largest photo that is accepted (179 megapixels).
``tests/bench/scale_bench.py`` found 10 bytes a pixel in ``prepare``, of formats that cannot be shrunk while they
are decoded, and 7 in ``colorize``, beside TensorFlow and the model.

Other runners get no hints: they fit no machines, but start a second set of worker processes for stages that have any.
"""

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from pipelines.runtime import runners

MIN_RAM = "8GB"


def of(options: PipelineOptions, accelerator: str = "") -> dict[str, str]:
    """The resource hints of a stage; none where the runner or the price (FlexRS) does not allow any.

    Args:
        options: of Beam.
        accelerator: in Dataflow's words, such as ``type:nvidia-l4;count:1;install-nvidia-driver``; empty for none.
    """
    if not runners.is_dataflow(options) or options.view_as(GoogleCloudOptions).flexrs_goal:
        return {}
    return {"min_ram": MIN_RAM, "accelerator": accelerator} if accelerator else {"min_ram": MIN_RAM}
