"""The names of the colour spaces that photos are written in, for the command line. Imports no arrays."""

NAMES = ("srgb", "adobe_rgb", "display_p3", "ecirgb_v2")
"""The keys of `model.color_spaces.SPACES`; the first is the default."""
