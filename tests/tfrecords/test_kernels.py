import numpy as np

from tfrecords import color


def test_codes_of_all_colours_are_those_of_the_conversion():
    reds, greens = np.arange(256), np.arange(256)[:, None]
    for blue in (0, 15, 16, 128, 255):
        rgb = np.empty((256, 256, 3), np.uint8)
        rgb[..., 0], rgb[..., 1], rgb[..., 2] = reds, greens, blue
        luminance, chroma = color.srgb_to_codes(rgb)
        lab = color.srgb_to_lab(rgb)
        assert np.array_equal(luminance, color.quantize_luminance(lab[..., 0]))
        assert np.array_equal(chroma, color.quantize_chroma(lab[..., 1:]))
