"""The learner: a network, its averaged weights, its optimizer, and the functions that move them on any strategy.

Each replica sums its losses and divides by the global batch, and gradients are summed over replicas, so N replicas
make the step that one device makes on the same global batch. Several steps run in one call of a tf.function.

On CPUs neither XLA (`jit`) nor half precision was measured to bring anything, so both are off unless asked for. XLA
compiles what a replica does alone, from the pictures to the gradients of its share.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray

from model import augment, initial, losses, networks, optimizers, precision, pretrained
from model import weights as weights_files
from model.config import Config


class Learner:
    """The networks that learn, and the steps of learning.

    Attributes:
        model: the network that the optimizer moves.
        averaged: the one that is validated: with the running mean of the weights, or `model` itself.
        optimizer: with its slots built.
        elapsed: part of the time limit that is used, for the schedule; 0 without a limit.
        scaling: of the loss: its scale, and the steps since that changed; [] where the precision needs none.
    """

    def __init__(
        self, config: Config, strategy: tf.distribute.Strategy, loss: losses.Loss, steps: int, init: str = ""
    ) -> None:
        """Build the networks and the optimizer; `init` names an exported model whose weights they start from."""
        weights = initial.read(init) if init else []
        self._config = config
        self._strategy = strategy
        self._loss = loss
        with strategy.scope(), precision.policy(config.precision):
            self.model = networks.build(config)
            # Before layers are frozen, whose weights do not change.
            self._statistics = [weight for weight in self.model.weights if _is_statistic(weight)]
            self.averaged = networks.build(config) if config.averaging else self.model
            if config.pretrained:
                for network in (self.model, self.averaged):
                    if not init:
                        pretrained.load(network)
                    pretrained.freeze(network)
            if init:
                for network in (self.model, self.averaged):
                    weights_files.put(network, weights, init)
            self.elapsed = keras.Variable(0.0, trainable=False, aggregation="only_first_replica")
            self.optimizer = optimizers.make(config, steps, self.elapsed)
            self.optimizer.build(self.model.trainable_variables)
            self.scaling = [
                keras.Variable(start, dtype=str(start.dtype), trainable=False, aggregation="only_first_replica")
                for start in precision.first(config.precision)
            ]
        self._compiled = tf.function(self._gradients, jit_compile=True) if config.jit else self._gradients

    @tf.function  # type: ignore[untyped-decorator]
    def train(self, iterator: Any, count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Make `count` optimizer steps; return the sum of their losses, how many were made, and whether all is finite.

        A step whose loss is not finite, or that leaves weights that are not, is the last one that counts. In float16, a
        step whose gradients are not finite is skipped, unless the loss is scaled no more.
        """
        total, made, is_sound = tf.constant(0.0), tf.constant(0), tf.constant(True)
        for _ in tf.range(count):
            loss = self._scaled_step(next(iterator)) if self.scaling else self._step(next(iterator))
            # Steps after a bad one are made all the same: to end here, the host would wait for the device in each step.
            total += tf.where(is_sound, loss, 0.0)
            made += tf.cast(is_sound, tf.int32)
            # A gradient may be infinite or not a number while the loss is finite; the weights then are as well.
            is_sound = is_sound & tf.math.is_finite(total) & self._is_finite()
        return total, made, is_sound

    def arrays(self) -> Iterator[NDArray[Any]]:
        """Yield all state that training moves, in a fixed order."""
        for variable in (
            *self.model.variables,
            *self.averaged.variables,
            *self.optimizer.variables,
            *self.scaling,
        ):
            yield variable.numpy()

    @tf.function  # type: ignore[untyped-decorator]
    def validate(self, iterator: Any, count: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
        """Return `total` and the losses of the averaged weights over `count` more batches of weighed examples."""
        for _ in tf.range(count):
            per_replica = self._strategy.run(self._validation_step, args=(next(iterator),))
            total += self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
        return total

    def _step(self, batch: Any) -> tf.Tensor:
        """Make a step; return its loss."""
        per_replica = self._strategy.run(self._train_step, args=(batch,))
        self._average()
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)

    def _scaled_step(self, batch: Any) -> tf.Tensor:
        """Make a step of the scaled loss, or none if its gradients are not finite; return its loss, not scaled."""
        per_replica, gradients, are_finite = self._strategy.run(self._summed_gradients, args=(batch,))
        # They are sums over all replicas: what holds for one holds for all.
        is_finite = self._strategy.reduce(tf.distribute.ReduceOp.MEAN, are_finite, axis=None) > 0.5
        if is_finite:
            self._strategy.run(self._apply, args=(gradients,))
            self._average()
        scale, good = self.scaling
        for variable, value in zip(self.scaling, precision.next_scale(scale, good, is_finite), strict=True):
            variable.assign(value)
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)

    def _train_step(self, batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
        """Make one replica's share of a step; return its share of the loss."""
        loss, gradients = self._compiled(*batch)
        self._apply(self._clipped(self._summed(gradients)))
        return loss

    def _summed_gradients(self, batch: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Return a replica's share of the loss, the gradients to apply, and 1 if these are finite, else 0."""
        loss, gradients = self._compiled(*batch)
        gradients = [gradient / self.scaling[0].value for gradient in self._summed(gradients)]
        is_finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        return loss, self._clipped(gradients), tf.cast(is_finite, tf.float32)

    def _gradients(self, *batch: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return a replica's share of the loss, and of its gradients, which are scaled where the precision needs it."""
        luminance, chroma, *hints = augment.examples(self._config, *batch)
        with tf.GradientTape() as tape:
            output = self.model(networks.arguments(self.model, luminance, *hints), training=True)
            loss = tf.reduce_sum(self._loss(chroma, tf.cast(output, tf.float32))) / self._config.batch_size
            scaled = loss * self.scaling[0].value if self.scaling else loss
        return loss, tape.gradient(scaled, self.model.trainable_variables)

    def _summed(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return the sums of the gradients of all replicas."""
        summed: list[tf.Tensor] = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        return summed

    def _clipped(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return summed gradients, clipped if the configuration says so.

        Keras would clip each replica's share, which depends on the number of replicas.
        """
        if not self._config.clip_norm:
            return gradients
        clipped: list[tf.Tensor] = tf.clip_by_global_norm(gradients, self._config.clip_norm)[0]
        return clipped

    def _apply(self, gradients: list[tf.Tensor]) -> None:
        """Move the weights by summed gradients."""
        self.optimizer.apply(gradients, self.model.trainable_variables)
        self._share_statistics()

    def _share_statistics(self) -> None:
        """Give each replica the mean of the moving statistics: each has moved its own copy by its part of the batch."""
        if not self._statistics or self._strategy.num_replicas_in_sync == 1:
            return
        own = [tf.identity(statistic.value) for statistic in self._statistics]
        means = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, own)
        for statistic, mean in zip(self._statistics, means, strict=True):
            statistic.assign(mean)

    def _is_finite(self) -> tf.Tensor:
        """Return whether all weights that a step moves are finite, and the gradients at some scale."""
        moved = (*self.model.trainable_variables, *self._statistics)
        each = [tf.reduce_all(tf.math.is_finite(weight.value)) for weight in moved]
        return tf.reduce_all([*each, *(scale.value >= precision.LEAST_SCALE for scale in self.scaling[:1])])

    def _average(self) -> None:
        """Move the averaged weights towards those of the model; faster in the first steps, which start at random.

        Weights that are not trained, such as moving statistics, are copied. Seeds are not weights: validation draws
        nothing.
        """
        if self.averaged is self.model:
            return
        step = tf.cast(self.optimizer.iterations.value, tf.float32)
        decay = tf.minimum(self._config.averaging, step / (step + 10.0))

        def move(average: tf.Variable, weight: tf.Tensor) -> None:
            average.assign_add((1.0 - decay) * (weight - average))

        def copy(average: tf.Variable, weight: tf.Tensor) -> None:
            average.assign(weight)

        for average, weight in zip(self.averaged.weights, self.model.weights, strict=True):
            update = move if weight.trainable else copy
            self._strategy.extended.update(average.value, update, args=(weight.value,), group=False)

    def _validation_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        luminance, chroma, weight = batch
        output = self.averaged(networks.arguments(self.averaged, luminance), training=False)
        return tf.reduce_sum(weight * self._loss(chroma, tf.cast(output, tf.float32)))


def _is_statistic(weight: keras.Variable) -> bool:
    """Tell whether a weight is moved by the forward pass and has a mean."""
    return not weight.trainable and keras.backend.is_float_dtype(weight.dtype)
