"""Images/s of the trainer: input alone, the train step on resident data, and both together.

    python tests/bench/train_bench.py --data=RECORDS [--config=unet_small] [--set=NAME=VALUE …] [--rounds=5]

With one replica and with two (all GPUs, or two logical CPU devices), the three take turns; medians over the rounds are
printed, and what both together reach of the slower one alone.

* input: `inputs.training`, batch after batch, after a first pass that fills the cache.
* step: `Learner.train` on one batch of random numbers that stays on the device.
* both: `Learner.train` on `inputs.training`, as `trainer` does it.
"""

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from model import config as configs
from model import draws, inputs, learner, losses, strategy

STEPS_A_CALL = 10


def resident(config: configs.Config) -> Callable[[tf.distribute.InputContext], tf.data.Dataset]:
    """What makes an input of one batch, over and over."""

    def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
        count = context.get_per_replica_batch_size(config.batch_size)
        side = math.ceil(config.resolution / config.crop)
        pictures = tf.cast(tf.random.uniform([count, side, side, 3], 0, 256, tf.int32), tf.uint8)
        return tf.data.Dataset.from_tensors((pictures, draws.halves(np.arange(count)))).repeat()

    return make


def rate(advance: Callable[[], int], seconds: float) -> float:
    """Images/s of a function that returns how many images it took."""
    images, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        images += advance()
    return images / spent


def rows(args: argparse.Namespace, config: configs.Config, made: tf.distribute.Strategy) -> Iterator[tuple[str, float]]:
    """The medians of the three, by name."""
    description = inputs.describe(args.data, config)
    trained = learner.Learner(config, made, losses.make(config, None), steps=10**6)
    real = inputs.training(args.data, config, description, 0)

    def iterator(make: Callable[[tf.distribute.InputContext], tf.data.Dataset]) -> Any:
        return iter(made.distribute_datasets_from_function(make))

    alone, still, flowing = iterator(real), iterator(resident(config)), iterator(real)

    def take() -> int:
        next(alone)
        return config.batch_size

    def step(batches: Any) -> int:
        _, count = trained.train(batches, tf.constant(STEPS_A_CALL))
        return int(count) * config.batch_size

    ways = {"input": take, "step": lambda: step(still), "both": lambda: step(flowing)}
    for _ in range(description.count("train") // config.batch_size + 1):
        take()
    for _ in range(description.count("train") // (STEPS_A_CALL * config.batch_size) + 1):
        step(flowing)
    step(still)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _, (name, way) in itertools.product(range(args.rounds), ways.items()):
        found[name].append(rate(way, args.seconds))
    yield from ((name, statistics.median(rates)) for name, rates in found.items())


def main() -> None:
    """Run the benchmark and print a line a strategy."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True)
    flags.add_argument("--config", default="unet_small")
    flags.add_argument("--set", action="append", default=[])
    flags.add_argument("--rounds", type=int, default=5)
    flags.add_argument("--seconds", type=float, default=5.0)
    args = flags.parse_args()
    if not tf.config.list_physical_devices("GPU"):
        [cpu] = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    config = configs.by_name(args.config).override(args.set)
    print(f"{config.name}: batch {config.batch_size}, {config.resolution} px; images/s, medians of {args.rounds}")
    for name in ("one", "mirrored"):
        made = strategy.make(name)
        found = dict(rows(args, config, made))
        share = found["both"] / min(found["input"], found["step"])
        figures = "  ".join(f"{way} {images_per_s:8.1f}" for way, images_per_s in found.items())
        print(f"{made.num_replicas_in_sync} replica(s)  {figures}  both / slower {share:.3f}", flush=True)


if __name__ == "__main__":
    main()
