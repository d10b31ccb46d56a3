"""A training run of nine steps that other runs are compared with."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny

# All that a run's state can hold: a schedule, clipping, averaged weights, crops, a best validation.
SETTINGS = ["optimizer=adamw", "weight_decay=0.01", "warmup_steps=2", "schedule=cosine", "clip_norm=1"]
SETTINGS += ["averaging=0.9", "crop=0.8", "resolution=24", "epochs=4", "validate_every=2"]
CONFIG = tiny.CONFIG.override(SETTINGS)
# The sums over replicas and workers are those of one device in another order.
TOLERANCE = 1e-4


def free_addresses(count: int) -> list[str]:
    """Addresses on this machine that nothing listens at."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    found = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def weights(output: Path | str) -> list[np.ndarray]:
    """The weights that a run exported."""
    loaded = tf.saved_model.load(str(Path(output) / "saved_model"))
    return [variable.numpy() for variable in loaded.signatures["serving_default"].variables]


def lines(output: Path) -> list[dict]:
    """What a run measured."""
    return [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]


def assert_same(output: Path, other: Path, tolerance: float = 0) -> None:
    """Fails unless two runs ended with the same weights and the same validation loss."""
    for one, two in zip(weights(output), weights(other), strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=tolerance)
    first, second = lines(output)[-1], lines(other)[-1]
    assert first["step"] == second["step"]
    assert second["validation_loss"] == pytest.approx(first["validation_loss"], rel=tolerance)
