"""Steps on JAX from a given start, on given batches: `python jax_parity.py IN.npz OUT.npz CONFIG.json`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np
import small_networks

from model import augment, jax_learner
from model.config import Config


def main(given: str, made: str, config: Config) -> None:
    """Make the steps; write their losses, the weights after them and the running means of these."""
    small_networks.shrink()
    with np.load(given) as stored:
        arrays = dict(stored)
    batches = [arrays[f"batch_{part}"] for part in range(sum(name.startswith("batch") for name in arrays))]
    histogram = arrays["histogram"].tolist()
    learner = jax_learner.Learner(config, histogram, len(batches[0]), "", jax.local_devices()[:1])
    learner.model.set_weights([arrays[f"weight_{place}"] for place in range(len(learner.model.weights))])
    trainable = [variable.value for variable in learner.model.trainable_variables]
    others = [variable.value for variable in learner.model.non_trainable_variables]
    state = learner.put(learner.state._replace(trainable=trainable, averaged=trainable, others=others))

    def made_of(state: jax_learner.State, pictures: Any, places: Any, elapsed: Any) -> Any:
        return learner.step(state, augment.examples(config, pictures, places), elapsed)

    step = jax.jit(made_of)
    losses = []
    for number in range(len(batches[0])):
        state, loss, is_sound = step(state, *(part[number] for part in batches), np.float32((number + 5) / 25))
        assert is_sound
        losses.append(float(loss))
    means = {f"mean_{place}": array for place, array in enumerate(learner.weights(state))}
    last = learner.weights(state._replace(averaged=[]))
    np.savez(made, losses=losses, **means, **{f"weight_{place}": array for place, array in enumerate(last)})


if __name__ == "__main__":
    main(*sys.argv[1:3], Config.from_dict(json.loads(Path(sys.argv[3]).read_text())))
