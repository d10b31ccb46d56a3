"""What reading a list takes, by its length: time, memory of Python's objects, and memory of the process.

    python tests/bench/lists_bench.py [--rows 10000 100000 1000000] [--lookups]

Each list is written and read in a process of its own. With --lookups every row is also looked up on the disk, where
all rows name one of 1,000 files in other spellings.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from pipelines.files import list_rows, listed_photos, storage
from pipelines.files.list_parts import Part

KINDS = (".txt", ".csv", ".jsonl", ".parquet")
FILES = 1000


def paths(rows: int) -> Iterator[str]:
    return (f"{'./' * (row // FILES % 7)}box/scan {row % FILES:09d}.tif" for row in range(rows))


def write(path: Path, rows: int) -> None:
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, pa.schema([("path", pa.string())])) as writer:
            left = paths(rows)
            for start in range(0, rows, 10_000):
                some = [next(left) for _ in range(min(10_000, rows - start))]
                writer.write_table(pa.table({"path": some}))
        return
    with path.open("w") as file:
        table = csv.writer(file)
        if path.suffix == ".csv":
            table.writerow(["n", "path"])
        for row, one in enumerate(paths(rows)):
            if path.suffix == ".csv":
                table.writerow([row, one])
            else:
                file.write(f"{json.dumps({'path': one}) if path.suffix == '.jsonl' else one}\n")


def read(path: str, kind: str, lookups: bool, traced: bool, answer: multiprocessing.Queue) -> None:
    if traced:
        tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, parts, rows = time.perf_counter(), 0, 0
    for part in listed_photos.parts(Part(uri=path, kind=kind)):
        parts += 1
        if lookups:
            rows += sum(not found.fault for found in listed_photos.listed(part))
        else:
            with storage.opened(path) as file:
                rows += sum(1 for _ in list_rows.rows(file, part))
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answer.put((rows, parts, seconds, grown / 1024, tracemalloc.get_traced_memory()[1] / 2**20 if traced else 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--lookups", action="store_true")
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("kind          rows  parts  seconds  process +MB  objects MB")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "box").mkdir()
        for number in range(FILES):
            (Path(folder) / f"box/scan {number:09d}.tif").touch()
        for kind in KINDS:
            for rows in args.rows:
                path = Path(folder) / f"list{kind}"
                write(path, rows)
                told = []
                for traced in (False, True):
                    answer = context.Queue()
                    work = context.Process(target=read, args=(str(path), kind, args.lookups, traced, answer))
                    work.start()
                    told.append(answer.get())
                    work.join()
                (count, parts, seconds, grown, _), (*_, objects) = told
                print(f"{kind:<8} {count:>9,} {parts:>6} {seconds:>8.2f} {grown:>12.1f} {objects:>11.1f}", flush=True)


if __name__ == "__main__":
    main()
