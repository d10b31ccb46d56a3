"""Convert 16 bits to sRGB by three curves and a matrix, which is all that the profiles of most spaces say.

LittleCMS takes 0.6 s a megapixel for it without its tables, and this a twentieth of that.
"""

from dataclasses import dataclass

import numpy as np

from tfrecords import colorimetry
from tfrecords.color import Floats, Words

_TOP = 65535
# The sRGB code of the square of each step: roots have enough steps in the dark.
_CODES: Words = np.rint(_TOP * colorimetry.SRGB_CURVE.codes((np.arange(_TOP + 1) / _TOP) ** 2)).astype(np.uint16)


@dataclass(frozen=True, kw_only=True)
class Shaper:
    """Curves and a matrix.

    Attributes:
        curves: linear light of each code of red, green and blue, float32 ``[3, 65536]``.
        matrix: to linear sRGB, float32 ``[3, 3]``.
    """

    curves: Floats
    matrix: Floats

    def convert(self, words: Words) -> Words:
        """Return uint16 ``[H, W, 3]`` in sRGB; colours outside of it are clipped."""
        lights = [np.take(curve, words[..., channel]) for channel, curve in enumerate(self.curves)]
        codes = np.empty(words.shape, np.uint16)
        for channel, (red, green, blue) in enumerate(self.matrix):
            # Not OpenCV or BLAS, which round differently from processor to processor.
            light = lights[0] * red + lights[1] * green + lights[2] * blue
            np.sqrt(np.clip(light, 0, 1, out=light), out=light)
            light *= _TOP
            light += np.float32(0.5)
            np.take(_CODES, light.astype(np.int32), out=codes[..., channel])
        return codes


def of_ramps(ramps: Floats, srgb: Floats) -> Shaper | None:
    """Return the curves and the matrix of a profile.

    Args:
        ramps: XYZ under D50 of every code of red, of green and of blue, the others 0; ``[3, 65536, 3]``.
        srgb: the XYZ of the red, green and blue of sRGB by its profile, whose numbers are rounded; ``[3, 3]``.

    Returns:
        None if a channel gives no light.
    """
    ends = ramps[:, -1].astype(np.float64)
    brightest = ends.argmax(axis=1)
    if ends.max(axis=1).min() <= 0:
        return None
    curves = [ramp[:, axis] / end[axis] for ramp, axis, end in zip(ramps, brightest, ends, strict=True)]
    matrix = np.linalg.solve(srgb.T.astype(np.float64), ends.T)
    return Shaper(curves=np.array(curves, np.float32), matrix=matrix.astype(np.float32))
