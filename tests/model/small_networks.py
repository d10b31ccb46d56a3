"""The networks on EfficientNet with all kinds of their layers, and few of each."""

from collections.abc import Callable

from model import efficientnet, networks


def shrink(change: Callable[..., None] = setattr) -> None:
    """Leave a block to each stage, two to one of them, 8 filters, and one narrow block of attention."""
    stages = [stage._replace(blocks=1 + (number == 1), filters=8) for number, stage in enumerate(efficientnet.STAGES)]
    change(efficientnet, "STAGES", tuple(stages))
    change(efficientnet, "LITE2", efficientnet.Variant("lite2", 1.0, 1.0))
    change(networks, "ATTENTION_BLOCKS", 1)
    change(networks, "ATTENTION_WIDTH", 4)
