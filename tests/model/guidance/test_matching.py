import cv2
import numpy as np

from model.guidance import matching
from tfrecords.color import srgb_to_lab


def squeezed(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lab = srgb_to_lab(cv2.resize(np.ascontiguousarray(pixels), (256, 256), interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])


def test_the_same_scene_from_another_print_lends_its_colours(photos):
    """The photo is a part of the reference, with less contrast."""
    whole, part = squeezed(photos["astronaut"]), squeezed(photos["astronaut"][60:480, 40:470])
    light = part[0] * np.float32(0.8) + 10
    found = matching.match(light, whole[0])
    assert found is not None
    loan = matching.lend(light, *whole, found)
    assert loan.weight.mean() > 0.8
    error = np.hypot(*np.moveaxis(loan.chroma - part[1], -1, 0))
    assert (error * loan.weight).sum() / loan.weight.sum() < 3


def test_other_scenes_do_not_match(photos):
    lights = {name: squeezed(pixels)[0] for name, pixels in photos.items()}
    for name, other in (("astronaut", "coffee"), ("chelsea", "rocket"), ("rocket", "astronaut")):
        assert matching.match(lights[name], lights[other]) is None
    assert matching.match(lights["coffee"], np.full((256, 256), 50, np.float32)) is None
