"""Configurations trained on the same set for equally many minutes, one after the other, then scored side by side.

    python tests/bench/compare_configs.py --data=RECORDS --output=RUNS --minutes=20 \\
        --run=autoencoder --run=unet_small --run="unet_small loss=huber"

A run is the name of a configuration and fields to set. Each trains in a process of its own in RUNS/<run>; what is
already trained there for as long is only scored. The scoreboard goes to RUNS/scores.json and RUNS/sheet.png.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from model import evaluate


def train(run: str, args: argparse.Namespace) -> Path:
    """Train one run for `minutes` minutes; return its SavedModel."""
    name, *fields = run.split()
    output = Path(args.output) / run.replace(" ", ",")
    command = [sys.executable, "-m", "model.train", f"--data={args.data}", f"--output={output}", f"--config={name}"]
    command += [f"--max_minutes={args.minutes}", "--epochs=1000000", *(f"--set={field}" for field in fields)]
    subprocess.run(command, check=True)
    return output / "saved_model"


def main() -> int:
    """Train all runs and print the scoreboard."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True)
    flags.add_argument("--output", required=True)
    flags.add_argument("--minutes", required=True, type=float)
    flags.add_argument("--run", required=True, action="append")
    args = flags.parse_args()
    models = [f"--model={train(run, args)}" for run in args.run]
    files = [f"--json={args.output}/scores.json", f"--sheet={args.output}/sheet.png"]
    return evaluate.main([*models, f"--data={args.data}", *files])


if __name__ == "__main__":
    sys.exit(main())
