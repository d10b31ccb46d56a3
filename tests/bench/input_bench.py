"""Images a core-second of the trainer's input on the host: cached and streamed, with and without film.

    python tests/bench/input_bench.py --data=RECORDS [--against=TREE] [--config=released …] [--set=NAME=VALUE …]

Each figure is the number of images by the processor time of the whole process, all threads together, so that other work
on the machine hardly shifts it. Every way runs in a process of its own, which first fills its caches, and the ways and
trees take turns; medians are printed. `--against` is another checkout, such as a worktree of an earlier commit.

* cached: pictures that fit in memory and were decoded once.
* streamed: pictures that are read and decoded in each pass.

Where film is made on the device that trains, it costs the host nothing, and the figures with and without it are alike.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

WAYS = tuple(itertools.product(("cached", "streamed"), ("config", "0")))
HERE = Path(__file__).parents[2]


def measured(args: argparse.Namespace) -> float:
    """Images a second of processor time, in this process; uses what earlier versions of the package have too."""
    import tensorflow as tf

    from model import config as configs
    from model import inputs

    config = configs.by_name(args.config[0]).override(args.set + (["film=0"] if args.film == "0" else []))
    if args.way == "streamed":
        inputs.CACHE_BYTES = 0
    description = inputs.describe(args.data, config)
    batches = iter(inputs.training(args.data, config, description, 0)(tf.distribute.InputContext()))
    for _ in range(2 + description.count("train") // config.batch_size):
        next(batches)
    begun, images = time.process_time(), 0
    while time.process_time() - begun < args.seconds:
        next(batches)
        images += config.batch_size
    return images / (time.process_time() - begun)


def run(tree: Path, args: argparse.Namespace, name: str, way: str, film: str) -> float:
    """The same of one way and one checkout, in a process of its own."""
    words = [f"--data={args.data}", f"--config={name}", f"--way={way}", f"--film={film}", f"--seconds={args.seconds}"]
    words += [f"--set={assignment}" for assignment in args.set]
    command = [sys.executable, __file__, *words]
    environment = {**os.environ, "PYTHONPATH": str(tree), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Run the benchmark and print a line a way."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True)
    flags.add_argument("--config", action="append")
    flags.add_argument("--set", action="append", default=[])
    flags.add_argument("--against", type=Path)
    flags.add_argument("--rounds", type=int, default=5)
    flags.add_argument("--seconds", type=float, default=5.0, help="of processor time, for each figure")
    flags.add_argument("--way", help=argparse.SUPPRESS)
    flags.add_argument("--film", help=argparse.SUPPRESS)
    args = flags.parse_args()
    args.config = args.config or ["released", "autoencoder"]
    if args.way:
        print(json.dumps(measured(args)))
        return
    trees = {"here": HERE} | ({"there": args.against} if args.against else {})
    print(f"{'':32}" + "".join(f"{tree:>10}" for tree in trees) + ("   ratio" if args.against else ""))
    for name in args.config:
        found: dict[tuple[str, ...], list[float]] = {}
        for _, way, tree in itertools.product(range(args.rounds), WAYS, trees):
            found.setdefault((*way, tree), []).append(run(trees[tree], args, name, *way))
        for way, film in WAYS:
            medians = [statistics.median(found[way, film, tree]) for tree in trees]
            ratio = f"{medians[0] / medians[1]:8.2f}" if args.against else ""
            title = f"{name}, {way}{', no film' if film == '0' else ''}"
            print(f"{title:32}" + "".join(f"{images:10.0f}" for images in medians) + ratio, flush=True)


if __name__ == "__main__":
    main()
