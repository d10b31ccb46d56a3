"""The learner on JAX: the network, its averaged weights and its optimizer as one state, and the steps that move it.

It makes the steps of `model.learner`, in pure functions that are compiled once. Several steps run in one call, in a
loop on the device whose length is an argument, so that no length is compiled for itself. Several devices share each
batch; the state is on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from model import augment, initial, losses, networks, optimizers, precision, pretrained, weights
from model.config import Config


class State(NamedTuple):
    """All that training moves.

    Attributes:
        trainable: weights that the optimizer moves, float32.
        others: weights that it does not move, and the state of random layers.
        averaged: running means of `trainable`; [] without averaging.
        slots: variables of the optimizer, the number of its steps among them.
        scaling: of the loss: its scale, and the steps since that changed; [] where the precision needs none.
    """

    trainable: list[Any]
    others: list[Any]
    averaged: list[Any]
    slots: list[Any]
    scaling: list[Any]


class Learner:
    """A network that learns.

    Attributes:
        model: the network; its own variables hold the start, and `State` what became of them.
        state: at the start.
        replicated: how arrays lie that each device has whole.
    """

    def __init__(
        self,
        config: Config,
        histogram: Sequence[Sequence[int]] | None,
        steps: int,
        init: str = "",
        devices: Sequence[Any] | None = None,
    ) -> None:
        """Build the network and the optimizer.

        Args:
            config: what to train.
            histogram: pixels of the training set by a and b; needed to rebalance only.
            steps: of the run.
            init: a weights file or an exported model to start from; '' starts as `config` says.
            devices: that share each batch; None takes all.

        Raises:
            UserError: the configuration does not hold together, or `init` does not fit it.
        """
        if config.precision == "float32":  # GPUs would round the factors to 10 bits.
            jax.config.update("jax_default_matmul_precision", "highest")
        self._config = config
        self._loss = losses.make(config, histogram, is_compact=True)
        with precision.policy(config.precision):
            self.model = networks.build(config)
        losses.check(config, self.model)
        if config.pretrained:
            if not init:
                pretrained.load(self.model)
            pretrained.freeze(self.model)
        if init:
            weights.put(self.model, initial.read(init), init)
        self._elapsed = keras.Variable(0.0, trainable=False)
        self._optimizer = optimizers.make(config, steps, self._elapsed)
        self._optimizer.build(self.model.trainable_variables)
        mesh = Mesh(np.array(devices or jax.local_devices()), ("data",))
        self.replicated = NamedSharding(mesh, PartitionSpec())
        self._shared = NamedSharding(mesh, PartitionSpec("data"))
        trainable = [variable.value for variable in self.model.trainable_variables]
        self.state = self.put(
            State(
                trainable=trainable,
                others=[variable.value for variable in self.model.non_trainable_variables],
                averaged=trainable if config.averaging else [],
                slots=[variable.value for variable in self._optimizer.variables],
                scaling=precision.first(config.precision),
            )
        )
        self.advance = jax.jit(self._advance, donate_argnums=0)
        self.validate = jax.jit(self._validate)

    def put(self, arrays: Any) -> Any:
        """Return arrays as each device has them whole, copied."""
        return jax.device_put(jax.tree.map(np.array, arrays), self.replicated)

    def weights(self, state: State) -> list[NDArray[Any]]:
        """Return the weights to export, in the order of `keras.Model.get_weights`."""
        moved = zip(self.model.trainable_variables, state.averaged or state.trainable, strict=True)
        kept = zip(self.model.non_trainable_variables, state.others, strict=True)
        values = {id(variable): value for variable, value in (*moved, *kept)}
        return [np.asarray(values[id(weight)]) for weight in self.model.weights]

    def learning_rate(self, state: State, elapsed: float) -> float:
        """Return the learning rate of the next step."""
        slots = zip(self._optimizer.variables, state.slots, strict=True)
        with keras.StatelessScope(state_mapping=[*slots, (self._elapsed, jnp.float32(elapsed))]):
            return float(self._optimizer.learning_rate)

    def step(self, state: State, batch: tuple[Any, ...], elapsed: Any) -> tuple[State, Any, Any]:
        """Return the state after one step, its loss, and whether the loss and all weights are finite.

        Args:
            state: before the step.
            batch: luminance, chroma and perhaps hints, as in `model.inputs.training`.
            elapsed: the used part of the time limit; 0 without one.
        """
        luminance, chroma, *hints = batch

        def loss_of(trainable: list[Any]) -> tuple[Any, tuple[Any, list[Any]]]:
            given = networks.arguments(self.model, luminance, *hints)
            output, others = self.model.stateless_call(trainable, state.others, given, training=True)
            loss = jnp.sum(self._loss(chroma, output.astype("float32"))) / luminance.shape[0]
            return loss * scale, (loss, others)

        scale = state.scaling[0] if state.scaling else 1.0
        (_, (loss, others)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.trainable)
        if state.scaling:
            gradients = [gradient / scale for gradient in gradients]
        are_finite = jnp.all(jnp.array([jnp.all(jnp.isfinite(gradient)) for gradient in gradients]))
        if self._config.clip_norm:
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
            part = self._config.clip_norm / jnp.maximum(norm, self._config.clip_norm)
            gradients = [gradient * part for gradient in gradients]
        trainable, slots = optimizers.applied(
            self._optimizer, self._elapsed, state.slots, gradients, state.trainable, elapsed
        )
        moved = State(trainable, others, self._averaged(state, trainable), slots, [])
        is_sound = jnp.isfinite(loss)
        if state.scaling:  # A step whose gradients are not finite is skipped, and the next scale is smaller.
            kept = state._replace(others=others, scaling=[])
            moved = jax.tree.map(lambda new, old: jnp.where(are_finite, new, old), moved, kept)
            moved = moved._replace(scaling=list(precision.next_scale(scale, state.scaling[1], are_finite)))
            is_sound &= moved.scaling[0] >= precision.LEAST_SCALE
        floats = [value for value in (*moved.trainable, *others) if jnp.issubdtype(value.dtype, jnp.floating)]
        return moved, loss, is_sound & jnp.all(jnp.array([jnp.all(jnp.isfinite(value)) for value in floats]))

    def _averaged(self, state: State, trainable: list[Any]) -> list[Any]:
        """Return the running means after a step; they move faster in the first steps, which start at random."""
        made = state.slots[self._optimizer.variables.index(self._optimizer.iterations)] + 1
        step = made.astype("float32")
        decay = jnp.minimum(self._config.averaging, step / (step + 10.0))
        pairs = zip(state.averaged, trainable, strict=True) if state.averaged else ()
        return [average + (1.0 - decay) * (weight - average) for average, weight in pairs]

    def _advance(
        self, state: State, pool: Any, places: Any, stream: Any, count: Any, elapsed: Any
    ) -> tuple[State, Any, Any]:
        """Make several steps.

        Args:
            state: before them; its memory is used again.
            pool: pictures, uint8 ``[n, S, S, 3]``: L, a and b as codes.
            places: of the pictures of each step in `pool`, int32 ``[K, batch_size]``.
            stream: places of these examples in the stream, uint32 ``[K, batch_size, 2]`` (`model.draws.halves`).
            count: how many steps to make, at most K.
            elapsed: the used part of the time limit; 0 without one.

        Returns:
            The state, the losses, float32 ``[K]``, and which of these steps first gave numbers that are not finite;
            K if none did.
        """
        most = places.shape[0]

        def one(number: Any, carry: tuple[State, Any, Any]) -> tuple[State, Any, Any]:
            state, found, bad = carry
            pictures = jax.lax.with_sharding_constraint(pool[places[number]], self._shared)
            batch = augment.examples(self._config, pictures, stream[number])
            batch = tuple(jax.lax.with_sharding_constraint(part, self._shared) for part in batch)
            state, loss, is_sound = self.step(state, batch, elapsed)
            return state, found.at[number].set(loss), jnp.where(is_sound, bad, jnp.minimum(bad, number))

        start = state, jnp.zeros(most, "float32"), jnp.int32(most)
        state, found, bad = jax.lax.fori_loop(0, count, one, start)
        return state, found, bad

    def _validate(self, state: State, pool: Any, places: Any, counted: Any) -> Any:
        """Return the sum of the losses of the averaged weights over pictures; `counted` of them are looked at."""
        pictures = jax.lax.with_sharding_constraint(pool[places], self._shared)
        made = augment.floats(pictures)
        luminance, chroma = made[..., :1], made[..., 1:]
        given = networks.arguments(self.model, luminance)
        output, _ = self.model.stateless_call(state.averaged or state.trainable, state.others, given, training=False)
        each = self._loss(chroma, output.astype("float32"))
        return jnp.sum(jnp.where(jnp.arange(len(places)) < counted, each, 0.0))
