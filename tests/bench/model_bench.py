"""How fast a model predicts on this machine, beside what its processors can do at all.

    python tests/bench/model_bench.py --model=released --batch=8 --threads=1

Prints the floating point operations of one picture, counted by TensorFlow's profiler, the pictures a second in batches,
the GFLOP/s that makes, and the GFLOP/s of a multiplication of 2048 x 2048 matrices with the same threads; medians of
rounds that take turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from model import networks, saved_model
from model.colorizer import Colorizer
from model.config import Config

SIDE = 2048


def operations(config: Config) -> int:
    """Floating point operations of one picture through the network."""
    network = networks.build(config)
    spec = tf.TensorSpec([1, config.resolution, config.resolution, 1], tf.float32)
    graph = tf.function(lambda luminance: network(luminance, training=False)).get_concrete_function(spec).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    return int(tf.compat.v1.profiler.profile(graph, options=options).total_float_ops)


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Run the benchmark."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model", default=saved_model.RELEASED)
    flags.add_argument("--batch", type=int, default=8)
    flags.add_argument("--threads", type=int, default=1)
    flags.add_argument("--rounds", type=int, default=15)
    args = flags.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    colorizer = Colorizer.load(args.model)
    count = operations(Config.from_dict(saved_model.check(args.model)["config"]))
    luminance = np.random.default_rng(0).random((args.batch, colorizer.size, colorizer.size, 1), np.float32)
    matrix = tf.random.stateless_uniform((SIDE, SIDE), (0, 0))

    def predict() -> object:
        return colorizer.predict(luminance)

    def multiply() -> object:
        return tf.matmul(matrix, matrix).numpy()

    for work in (predict, multiply):
        work()
    predicting, multiplying = [], []
    for _ in range(args.rounds):
        predicting.append(seconds(predict))
        multiplying.append(seconds(multiply))
    pictures = args.batch / statistics.median(predicting)
    rate, peak = count * pictures / 1e9, 2 * SIDE**3 / statistics.median(multiplying) / 1e9
    print(f"{colorizer.parameters:,} weights, {count / 1e9:.2f} GFLOP a picture, {args.threads} threads")
    print(f"batches of {args.batch}: {pictures:.1f} pictures/s, {rate:.1f} GFLOP/s")
    print(f"matrices: {peak:.1f} GFLOP/s; the network reaches {rate / peak:.2f} of it")


if __name__ == "__main__":
    main()
