"""`prepare` killed again and again, then left to finish: are its files those of an undisturbed run?

    python tests/bench/prepare_chaos_bench.py --input=PHOTOS [--photos=4000] [--kills=20] [--num_shards=64] [--seed=0]

The photos are copied, as often as it takes, each copy with bytes of its own. Every process of the run gets SIGKILL at
--kills random moments of its writing; see ``prepare_job.storm``. What survives a kill is whole shards: there
are more of them than kills, so that every run has something to do. Ends with 1 when a byte differs, a file is missing
or left over, a finished shard was written again or counts do not add up.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from prepare_job import copies, differences, digests, pace, storm, verdict

from tfrecords.description import FILE_NAME


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos, with all subfolders")
    parser.add_argument("--photos", type=int, default=4000, help="copies to make of them (4000)")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument("--num_shards", type=int, default=64, help="of the training split (64)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prepare-chaos-") as folder:
        photos, undisturbed, disturbed = (Path(folder) / name for name in ("photos", "undisturbed", "disturbed"))
        copies(args.input, args.photos, photos)
        flags = f"--num_shards={args.num_shards}"
        pace(photos, undisturbed, flags)
        result = storm(photos, disturbed, flags, photos=args.photos, kills=args.kills, seed=args.seed)
        expected, found = digests(undisturbed), digests(disturbed)
        outcomes = json.loads((disturbed / FILE_NAME).read_text())["outcomes"]
    faults = {**differences(expected, found), "written again": result.reopened}
    print(f"{args.photos} photos, {len(result.killed_at)} kills; photos done at each: {result.killed_at}")
    print(f"finished shards at each kill: {result.kept}; hidden files found at kills: {result.unfinished}")
    print(f"kills that met a folder which was whole already: {result.described}")
    return verdict(len(expected), faults, outcomes, args.photos)


if __name__ == "__main__":
    sys.exit(main())
