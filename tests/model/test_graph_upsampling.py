"""Upsampling in the graph gives the colours of the host."""

import cv2
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from model import graph_upsampling, upsampling
from tfrecords import color

SIDE = 64


@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_colours_are_those_of_the_host(name):
    photo = getattr(skimage.data, name)()
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    chroma = 0.7 * color.srgb_to_lab(cv2.GaussianBlur(small, (0, 0), 2))[..., 1:]
    seen = graph_upsampling.small_luminance(tf.constant(photo), SIDE)
    np.testing.assert_allclose(seen, upsampling.model_luminance(photo, SIDE), atol=0.001)
    expected = upsampling.recolor(photo, chroma)
    found = graph_upsampling.recolor(tf.constant(photo), tf.constant(chroma), seen).numpy()
    assert np.abs(found.astype(int) - expected).max() <= 2
    # Not because nothing is to be seen: bilinear chroma gives other colours.
    light, plain = color.luminance(photo), cv2.resize(chroma, photo.shape[1::-1])
    assert np.abs(color.lab_to_srgb(np.dstack([light, plain])).astype(int) - expected).max() > 10


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (40, 50)])
def test_small_and_narrow_photos_are_colorized_as_well(shape):
    photo = np.ascontiguousarray(skimage.data.coffee()[: shape[0], : shape[1]])
    seen = graph_upsampling.small_luminance(tf.constant(photo), SIDE)
    assert seen.shape == (SIDE, SIDE, 1)
    found = graph_upsampling.recolor(tf.constant(photo), tf.zeros([SIDE, SIDE, 2]), seen).numpy()
    assert found.shape == photo.shape
    assert np.abs(color.luminance(found) - color.luminance(photo)).max() < 0.6


def test_a_photo_of_one_grey_has_no_edges_to_follow():
    photo = np.full((90, 120, 3), 128, np.uint8)
    seen = graph_upsampling.small_luminance(tf.constant(photo), SIDE)
    chroma = np.full((SIDE, SIDE, 2), 10, np.float32)
    found = graph_upsampling.recolor(tf.constant(photo), tf.constant(chroma), seen).numpy()
    assert np.abs(found.astype(int) - upsampling.recolor(photo, chroma)).max() <= 1
