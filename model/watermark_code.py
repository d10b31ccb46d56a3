"""The content of a watermark, and the error-correcting code that carries it.

The content is the same for the same model and settings, and does not tell when or where a photo was made: output bytes
are repeatable. 48 bits and a checksum of 16 (CRC-16/CCITT) are coded with a convolutional code of rate 1/4 and
constraint length 9 (generators 765, 671, 513, 473, the best known), and decoded by Viterbi's algorithm from soft
values.
"""

import binascii
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Floats

DIGITS = 6
"""Hex digits of each digest that a watermark holds."""
_GENERATORS = (0o765, 0o671, 0o513, 0o473)
_STATES, _TAIL = 256, 8
_BYTES = DIGITS  # two digests of three bytes
_BITS = 8 * (_BYTES + 2)
LENGTH = len(_GENERATORS) * (_BITS + _TAIL)
"""Number of coded bits."""


@dataclass(frozen=True)
class Payload:
    """What a watermark says: the first six hex digits of the model's digest and of the settings' digest."""

    model: str
    settings: str

    @classmethod
    def of(cls, model_digest: str, settings_digest: str) -> Self:
        """Return the content for two digests in hex; ValueError if they are not."""
        payload = cls(model_digest[:DIGITS], settings_digest[:DIGITS])
        if len(bytes.fromhex(payload.model + payload.settings)) != _BYTES:
            raise ValueError(f"{payload} has digests that are too short")
        return payload


def encode(payload: Payload) -> Floats:
    """Return the coded bits of a content, each -1 or 1, float32 ``[LENGTH]``."""
    data = bytes.fromhex(payload.model + payload.settings)
    bits = np.unpackbits(np.frombuffer(data + _checksum(data), np.uint8))
    register, coded = 0, []
    for bit in [*bits.tolist(), *[0] * _TAIL]:
        register = (register << 1 | bit) & (2 * _STATES - 1)
        coded.append(_OUTPUT[register])
    return np.concatenate(coded)


def decode(soft: NDArray[np.floating[Any]]) -> Payload | None:
    """Return the most likely content, or None if its checksum is wrong.

    Args:
        soft: for each coded bit how much speaks for 1 rather than -1, float ``[LENGTH]``.
    """
    steps = np.asarray(soft, np.float64).reshape(-1, len(_GENERATORS))
    score = np.full(_STATES, -np.inf)
    score[0] = 0
    came_from_upper: list[NDArray[np.bool_]] = []
    for step in steps:
        # A register is a state of eight bits and the new bit below it; without its oldest bit it is the next state.
        reached = np.repeat(score, 2) + (_OUTPUT * step).sum(axis=1)
        lower, upper = reached[:_STATES], reached[_STATES:]
        came_from_upper.append(upper > lower)
        score = np.maximum(lower, upper)
    state, bits = 0, []
    for from_upper in reversed(came_from_upper):
        bits.append(state & 1)
        state = (state | _STATES * int(from_upper[state])) >> 1
    data = np.packbits(bits[::-1][:_BITS]).tobytes()
    text = data[:_BYTES].hex()
    return Payload(text[:DIGITS], text[DIGITS:]) if data[_BYTES:] == _checksum(data[:_BYTES]) else None


def _checksum(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(2)


def _outputs() -> Floats:
    registers = range(2 * _STATES)
    parities = [[(register & one).bit_count() & 1 for one in _GENERATORS] for register in registers]
    return 2 * np.array(parities, np.float32) - 1


_OUTPUT = _outputs()
