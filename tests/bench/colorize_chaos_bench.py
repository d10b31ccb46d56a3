"""`colorize` killed again and again, then left to finish: are its files those of an undisturbed run?

    python tests/bench/colorize_chaos_bench.py --input=PHOTOS --model=SAVED_MODEL [--photos=400] [--kills=20] [--seed=0]

The photos are copied, as often as it takes, each copy with bytes of its own; every 40th is cut short. The run gets
SIGKILL at --kills random moments of its writing; see ``colorize_job.storm``. Ends with 1 when a byte differs, a
file is missing or left over, a file with a record was made again or counts do not add up. Times, and what the last run
found done, are told in files of their own, which are not compared.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from colorize_job import Job, digests, identities, storm
from prepare_job import copies, differences, pace, verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos, with all subfolders")
    parser.add_argument("--model", required=True, metavar="DIR", help="saved_model folder")
    parser.add_argument("--photos", type=int, default=400, help="copies to make of them (400)")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    args = parser.parse_args()
    flag = f"--model={args.model}"
    with tempfile.TemporaryDirectory(prefix="colorize-chaos-") as folder:
        photos, undisturbed, disturbed = (Path(folder) / name for name in ("photos", "undisturbed", "disturbed"))
        copies(args.input, args.photos, photos)
        for path in sorted(path for path in photos.rglob("*") if path.is_file())[::40]:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
        pace(photos, undisturbed, flag, kind=Job)
        disturbed.mkdir()
        result = storm(photos, disturbed, flag, photos=args.photos, kills=args.kills, seed=args.seed)
        before = identities(disturbed)
        pace(photos, disturbed, flag, kind=Job)
        now = identities(disturbed)
        again = result.again + [name for name, identity in before.items() if now.get(name) != identity]
        expected, found = digests(undisturbed), digests(disturbed)
        outcomes = json.loads((disturbed / "report.json").read_text())["outcomes"]
    faults = {**differences(expected, found), "made again": again}
    print(f"{args.photos} photos, {len(result.killed_at)} kills; photos with a record at each: {result.killed_at}")
    print(f"files without a record at each kill: {result.unrecorded}; hidden files found at kills: {result.unfinished}")
    return verdict(len(expected), faults, outcomes, args.photos)


if __name__ == "__main__":
    sys.exit(main())
