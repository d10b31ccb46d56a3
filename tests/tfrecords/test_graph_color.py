import subprocess
import sys

import numpy as np
import skimage.color

from tfrecords import color, graph_color

RANDOM = np.random.default_rng(0).integers(0, 256, (2, 50, 60, 3), dtype=np.uint8)


def test_rgb_to_lab_is_scikit_image_s(photos):
    for pixels in (RANDOM, photos["astronaut"], photos["coffee"]):
        found = graph_color.rgb_to_lab(pixels.astype(np.float32) / 255).numpy()
        assert found.dtype == np.float32
        assert np.abs(found - skimage.color.rgb2lab(pixels)).max() < 0.05


def test_it_agrees_with_the_host(photos):
    found = graph_color.rgb_to_lab(photos["chelsea"].astype(np.float32) / 255).numpy()
    assert np.abs(found - color.srgb_to_lab(photos["chelsea"])).max() < 0.08


def test_lab_to_rgb_returns(photos):
    for pixels in (RANDOM, photos["rocket"]):
        lab = skimage.color.rgb2lab(pixels).astype(np.float32)
        rgb = graph_color.lab_to_rgb(lab).numpy()
        off_the_ends = ((pixels > 0) & (pixels < 255)).all(axis=-1)
        np.testing.assert_array_equal(np.rint(rgb * 255)[off_the_ends], pixels[off_the_ends])
        # At the ends of the range the graph cannot tell a colour from its neighbours outside: it costs 1/256 of chroma.
        assert skimage.color.deltaE_cie76(skimage.color.rgb2lab(rgb), lab).max() < 0.6


def test_colours_outside_srgb_give_up_chroma_and_keep_luminance_and_hue():
    lab = np.random.default_rng(1).uniform([0, -110, -110], [100, 110, 110], (20_000, 3)).astype(np.float32)
    rgb = graph_color.lab_to_rgb(lab).numpy()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    found = skimage.color.rgb2lab(rgb)
    np.testing.assert_allclose(found[:, 0], lab[:, 0], atol=0.02)
    wanted, chroma = np.hypot(lab[:, 1], lab[:, 2]), np.hypot(found[:, 1], found[:, 2])
    assert (chroma - wanted).max() < 0.05
    across = np.abs(lab[:, 1] * found[:, 2] - lab[:, 2] * found[:, 1]) / wanted
    assert across.max() < 0.05
    host = color.srgb_to_lab(color.lab_to_srgb(lab[None]))[0]
    assert np.abs(np.hypot(host[:, 1], host[:, 2]) - chroma).max() < 1.2


def test_the_import_says_nothing_of_plugins_that_are_not_used():
    command = [sys.executable, "-W", "always", "-c", "import tfrecords.graph_color"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "libtensorflow_io" not in done.stderr
    assert "plugins are not loaded" not in done.stderr
