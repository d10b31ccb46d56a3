"""How time and memory of `colorize` and `report` grow with the number of photos, with photos that are done already.

    python tests/bench/growth_bench.py [--photos 100000 1000000] [--stages list lists launch resume report page]

The photos are empty files with a record each, so nothing is decoded: what is left is what a run does besides pixels.
Each stage runs in a process of its own, and prints processor seconds and the largest memory of that process.

    list     list the folder, as `autochrome plan` does
    lists    read a list of the photos that names each twice, as `autochrome plan` does
    launch   check the input, and build the graph that is sent to a runner
    resume   the local run: list, read the records, join, decide, write the manifest and the reports
    report   read the records and sum them up
    page     write the page, without thumbnails
"""

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pipelines.archive import manifest, record_files, run_list
from pipelines.archive.manifest import Output, Record
from pipelines.archive.provenance import Recipe, Settings

PHOTOS_A_FOLDER = 1000
SETTINGS = Settings(on_color="skip")


def names(photos: int) -> Iterator[str]:
    return (f"box {number // PHOTOS_A_FOLDER:05d}/photo {number:08d}.jpg" for number in range(photos))


def templates(folder: str, *, in_colour: bool) -> tuple[str, str]:
    """The lines of a rejected photo and of any other one, with the name, the number and the time to fill in."""
    recipe = Recipe.of("released", SETTINGS)
    output = Output(
        name="@NAME", page=1, width=3000, height=2000, bytes=10**6, sha256="@DIGEST", tone="toned", colourfulness=31.2
    )
    rejected = Record(
        name="@NAME",
        uri=f"{folder}/@NAME",
        offset=None,
        fingerprint="0-@TIME",
        status="rejected",
        reason="unreadable",
        detail="cut short",
        sha256="@DIGEST",
        format="JPEG",
        model=recipe.model,
        model_digest=recipe.model_digest,
        settings_digest=recipe.settings_digest,
        run=1,
    )
    status, outputs = ("skipped", ()) if in_colour else ("written", (output,))
    other = replace(rejected, status=status, reason="", detail="", outputs=outputs)
    return rejected.to_json(), other.to_json()


def lines(photos: int, scans: Path | None = None) -> Iterator[tuple[str, str]]:
    """Name and record of each photo; one of 1,000 is rejected.

    With a folder of scans all others are in colour, so that no file need be in the output.
    """
    rejected, other = templates(str(scans or "/scans"), in_colour=scans is not None)
    for number, name in enumerate(names(photos)):
        line = rejected if number % 1000 == 7 else other
        time_ = (scans / name).stat().st_mtime_ns if scans else 1
        line = line.replace("@NAME", name).replace("@DIGEST", f"{number:064x}").replace("@TIME", str(time_))
        yield name, line.replace('"colourfulness": 31.2', f'"colourfulness": {number * 7 % 1000 / 10}')


def write_scans(folder: Path, photos: int) -> None:
    for name in names(photos):
        path = folder / name
        if name.endswith("000.jpg"):
            path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_records(folder: Path, photos: int, scans: Path | None = None) -> None:
    """Write a manifest; its shards hold ranges of names."""
    shards = manifest.shard_count(photos)
    (folder / "manifest").mkdir(parents=True)
    made = lines(photos, scans)
    listed = []
    for index in range(shards):
        few = list(islice(made, -(-photos // shards)))
        file = f"{index:05d}-of-{shards:05d}.jsonl"
        data = manifest.to_lines(line for _, line in few)
        (folder / f"manifest/photos-{file}").write_bytes(data)
        times = (f'{{"name": "{name}", "milliseconds": {{}}, "outputs": ["1-1"]}}' for name, _ in few)
        (folder / f"manifest/timings-{file}").write_bytes(manifest.to_lines(times))
        listed.append(record_files.entry(f"manifest/photos-{file}", len(few), data, few[0][0]))
    record_files.write_index(str(folder), listed)
    run_list.begin(str(folder), Recipe.of("released", SETTINGS))


def write_list(file: Path, photos: int) -> None:
    with file.open("w") as lines:
        for name in names(photos):
            lines.write(f"{name}\n" * 2)


def stage_list(root: Path) -> str:
    from pipelines.plan import survey

    return f"{survey(str(root / 'scans'), 100).photos:,} photos"


def stage_lists(root: Path) -> str:
    from pipelines.files.list_parts import ListOptions
    from pipelines.plan import survey

    return f"{survey(str(root / 'photos.txt'), 100, ListOptions(root=str(root / 'scans'))).photos:,} photos"


def stage_launch(root: Path) -> str:
    import apache_beam as beam

    from pipelines.archive.colorize_photos import ColorizePhotos
    from pipelines.archive.job import Colorize
    from pipelines.files import input_checks

    input_checks.check_any([str(root / "scans")])
    pipeline = beam.Pipeline(runner="FnApiRunner")
    _ = pipeline | Colorize([str(root / "scans")], ColorizePhotos(str(root / "colour"), settings=SETTINGS))
    return f"{len(pipeline.to_runner_api().SerializeToString()) / 1e6:.2f} MB of graph"


def stage_resume(root: Path) -> str:
    from pipelines import cli

    code = cli.main(["colorize", str(root / "scans"), str(root / "colour"), "--on_color=skip"])
    return f"exit code {code}"


def stage_report(root: Path) -> str:
    from pipelines.archive.ledger import Ledger
    from pipelines.viewer.summary import Summary

    return f"{Summary.of(Ledger.of(str(root / 'colour')).records()).inputs:,} records"


def stage_page(root: Path) -> str:
    from pipelines.archive.ledger import Ledger
    from pipelines.viewer import html
    from pipelines.viewer.summary import Summary

    ledger = Ledger.of(str(root / "colour"))
    summary = Summary.of(ledger.records())
    files = written = 0
    for name, data in html.pages(ledger.records(), summary, {}, "many", set()):
        path = root / "colour" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files, written = files + 1, written + len(data)
    index = (root / "colour/report/index.js").stat().st_size
    return f"{files:,} files, {written / 1e6:,.0f} MB, index.js {index / 1e6:.2f} MB"


STAGES: dict[str, Callable[[Path], str]] = {
    name.removeprefix("stage_"): found for name, found in list(globals().items()) if name.startswith("stage_")
}


def measure(stage: str, root: Path, answer: "multiprocessing.Queue[tuple[str, float, float, float]]") -> None:
    started = time.perf_counter()
    told = STAGES[stage](root)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in used)
    answer.put((told, seconds, time.perf_counter() - started, used[0].ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--folder", help="for the files; a temporary one by default")
    parser.add_argument("--keep", action="store_true", help="keep the files, to look at the page")
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{'stage':<8} {'photos':>11} {'CPU s':>8} {'wall s':>8} {'peak MB':>8}", flush=True)
    for photos in args.photos:
        root = Path(tempfile.mkdtemp(dir=args.folder))
        needs_scans = not {"list", "lists", "resume"}.isdisjoint(args.stages)
        (root / "scans").mkdir()
        if needs_scans:
            write_scans(root / "scans", photos)
        if "lists" in args.stages:
            write_list(root / "photos.txt", photos)
        write_records(root / "colour", photos, root / "scans" if needs_scans else None)
        for stage in args.stages:
            answer: multiprocessing.Queue[tuple[str, float, float, float]] = context.Queue()
            process = context.Process(target=measure, args=(stage, root, answer))
            process.start()
            told, processor, wall, peak = answer.get()
            process.join()
            print(f"{stage:<8} {photos:>11,} {processor:>8.1f} {wall:>8.1f} {peak:>8,.0f}  {told}", flush=True)
        if args.keep:
            print(f"kept: {root}")
        else:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
