"""The command `autochrome deliver`: put the photos of a colorized folder into bags, with what describes them."""

import os
import sys
from itertools import chain

from model.terminal import say
from pipelines import audit_flags
from pipelines.archive import partitions, run_list, scan_places
from pipelines.archive.chroma_file import ONLY
from pipelines.archive.ledger import Ledger
from pipelines.archive.record_files import UNNAMED_FILE, Damage
from pipelines.delivery import packing, windows_names
from pipelines.delivery.bags import Item
from pipelines.delivery.told import Told
from pipelines.files import cloud, input_checks, writable
from pipelines.runtime import commands
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.errors import UserError
from tfrecords.words import counted

_GB = 10**9


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome deliver``; return 0 if every photo is in a bag and all bags are of this delivery, else 1."""
    args = audit_flags.deliver().parse_args(argv)
    cloud.check({"DIR": args.folder, "--state": args.state, "--to": args.to})
    if args.url and not args.scans:
        raise UserError("--url makes IIIF manifests, which show the scans as well; add --scans")
    if args.url and not args.url.startswith(("http://", "https://")):
        raise UserError(f"--url {args.url} must start with https:// or http://")
    ledger = Ledger.of(args.folder, args.state)
    input_checks.check_apart([args.folder], args.to, "--to")
    if args.scans:
        scan_places.check(ledger)
    writable.check(args.to, "--to")
    histories = [run_list.known(one.state) for one in (ledger, *ledger.partitions)]
    if args.url and any((runs[-1].get("settings") or {}).get("sidecar") == ONLY for runs in histories if runs):
        raise UserError(f"{args.folder} has chroma files in place of pictures, which no viewer shows; leave out --url")
    told = Told.of(chain.from_iterable(histories), args.url)
    threads = len(os.sched_getaffinity(0))
    pool: WorkerPool[str | Item] = WorkerPool(threads, Gate(threads))
    limits = {"has_scans": args.scans, "photos": args.bag_photos, "size": round(args.bag_gb * _GB)}
    damaged: list[Damage] = []
    number = filled = photos = found = left_out = 0
    not_for_windows, example = 0, ""
    try:
        for one in packing.packed(ledger.records(damaged.append), ledger.folder, args.to, told, pool, **limits):
            number, found, photos = one.bag.number, found + one.is_found, photos + len(one.bag.items)
            filled, left_out = filled + bool(one.bag.items), left_out + len(one.faults)
            for line in one.faults:
                say(f"{one.bag.name}: left out: {line}")
            names = [file.path for file in one.bag.payload() if not windows_names.can_store(file.path)]
            not_for_windows += len(names)
            example = example or next((f"{one.bag.name}/{name}" for name in names), "")
    finally:
        pool.close()
    lacking = partitions.lacking(ledger.state)
    if not (number or damaged or lacking or ledger.journals):
        raise UserError(f"{args.folder} has no photos to deliver")
    if stale := packing.beyond(args.to, number):
        say(f"{stale} is of an earlier delivery, which had more photos; remove it")
    for damage in damaged:
        lost = "" if damage.what == UNNAMED_FILE else ": its photos are in no bag"
        say(f"{damage}{lost}; {damage.advice}{', and deliver into another folder' if lost else ''}")
    if lacking:
        say(f"{partitions.PARTITIONS} {lacking}: its photos are in no bag")
    if ledger.journals:
        say("a run is not done or was killed; these are its photos so far: the same `autochrome colorize` continues it")
    if not_for_windows:
        have = "has a name" if not_for_windows == 1 else "have names"
        say(
            f"{counted(not_for_windows, 'file')} {have} that Windows cannot store, such as {example}; "
            "if the bags go there, send them as .tar files, or rename the scans first"
        )
    say(
        f"autochrome: {args.to}: photos {photos:,}, left out {left_out:,}, bags {filled:,}, complete before {found:,}",
        file=sys.stderr,
    )
    return 1 if left_out or stale or damaged or lacking or ledger.journals else 0


if __name__ == "__main__":
    commands.run_module("pipelines.deliver")
