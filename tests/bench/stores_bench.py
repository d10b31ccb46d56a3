"""The same jobs from a folder, from lists and from stores behind proxies that fail: the same files everywhere.

    python tests/bench/stores_bench.py [--inputs folder text parquet s3 azure gcs]

Each input is read and, if it is a store, written by a process of its own: `colorize` and `prepare` of 8 photos, with a
tar, a broken file and names that are not ASCII. Prints for each the number of files, the digest of their names and
bytes, and the requests that failed on the way; ends with 1 if a digest differs from that of the folder. ``azure`` needs
Azurite (`make test-azure` fetches it).
"""

import argparse
import hashlib
import io
import logging
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skimage.data
from PIL import Image

_TESTS = Path(__file__).parents[1]
sys.path += [str(_TESTS / name) for name in ("gcs", "stores", "pipelines")]

import clouds  # noqa: E402
import emulator  # noqa: E402
import relay  # noqa: E402
import servers  # noqa: E402
from faults import Faults  # noqa: E402

RATE = 1 / 8
JOBS = {
    "colorize": ("--direct_num_workers=2",),
    "prepare": ("--direct_num_workers=2", "--size=64", "--num_shards=4", "--validation_percent=30"),
}
Files = dict[str, bytes]


@dataclass
class Place:
    """Where the photos are and the results go.

    Attributes:
        flags: that name the photos.
        output: returns the folder of a job.
        files: returns what is in it.
        environment: of the processes.
        failed: returns how many requests failed so far.
    """

    flags: list[str]
    output: Callable[[str], str]
    files: Callable[[str], Files]
    environment: dict[str, str]
    failed: Callable[[], int]


def write_photos(root: Path) -> None:
    motifs = {name: getattr(skimage.data, name)()[::4, ::4] for name in ("astronaut", "chelsea", "coffee", "rocket")}
    (root / "box 1").mkdir(parents=True)
    for name, pixels in motifs.items():
        Image.fromarray(pixels).save(root / "box 1" / f"{name} ü.jpg")
    Image.fromarray(np.asarray(skimage.data.camera()[::4, ::4])).save(root / "camera.png")
    (root / "broken.jpg").write_text("Dear archive,\n")
    with tarfile.open(root / "box 2.tar", "w") as tar:
        for name, pixels in list(motifs.items())[:2]:
            data = io.BytesIO()
            Image.fromarray(pixels[::-1]).save(data, "PNG")
            member = tarfile.TarInfo(f"{name}.png")
            member.size = data.tell()
            data.seek(0)
            tar.addfile(member, data)


def _on_disk(folder: Path, *flags: str) -> Place:
    def files(job: str) -> Files:
        root = folder / job
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    return Place(list(flags), lambda job: str(folder / job), files, dict(os.environ), lambda: 0)


def _names(scans: Path) -> list[str]:
    return [str(path.relative_to(scans)) for path in scans.rglob("*") if path.is_file()]


@contextmanager
def folder(scans: Path, scratch: Path) -> Iterator[Place]:
    yield _on_disk(scratch, f"--input={scans}")


@contextmanager
def text(scans: Path, scratch: Path) -> Iterator[Place]:
    (scratch / "list.txt").write_text("\n".join(_names(scans)))
    yield _on_disk(scratch, f"--input={scratch}/list.txt", f"--root={scans}")


@contextmanager
def parquet(scans: Path, scratch: Path) -> Iterator[Place]:
    pq.write_table(pa.table({"path": _names(scans)}), scratch / "list.parquet")
    yield _on_disk(scratch, f"--input={scratch}/list.parquet", f"--root={scans}")


@contextmanager
def _store(kind: str, scans: Path) -> Iterator[Place]:
    faults = Faults(4, RATE)
    with servers.BY_NAME[kind]() as server, relay.running(server.address, faults, server.error) as proxy:
        server.make("photos")
        store = servers.Store(server, "photos", proxy, {})
        environment = {**os.environ, **server.environment(proxy.address)}
        source = store.upload(scans, "scans")
        yield Place([f"--input={source}"], store.uri, store.files, environment, lambda: sum(faults.injected.values()))


@contextmanager
def gcs(scans: Path, scratch: Path) -> Iterator[Place]:
    with emulator.running() as bucket, clouds.behind_a_front(bucket, scratch, 4, RATE) as cloud:
        source = cloud.upload(scans, "scans")
        failed = cloud.faults.injected
        yield Place([f"--input={source}"], cloud.uri, cloud.files, cloud.environment, lambda: sum(failed.values()))


INPUTS: dict[str, Callable[[Path, Path], AbstractContextManager[Place]]] = {
    "folder": folder,
    "text": text,
    "parquet": parquet,
    "s3": lambda scans, _: _store("s3", scans),
    "azure": lambda scans, _: _store("azure", scans),
    "gcs": gcs,
}


def results(found: Files) -> Files:
    """The files of a job whose bytes must not depend on where the photos are: photos and records of training."""
    return {name: data for name, data in found.items() if name.endswith((".jpg", ".png", ".tfrecord"))}


def digest(found: Files) -> str:
    told = hashlib.sha256()
    for name, data in sorted(found.items()):
        told.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return told.hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", nargs="+", choices=INPUTS, default=list(INPUTS))
    args = parser.parse_args()
    expected: dict[str, str] = {}
    differ = []
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print(f"{'input':<8} {'job':<9} {'files':>5}  {'digest':<16} {'failed requests':>15}", flush=True)
    with tempfile.TemporaryDirectory() as root:
        scans = Path(root) / "scans"
        write_photos(scans)
        for name in dict.fromkeys(["folder", *args.inputs]):
            scratch = Path(root) / name
            scratch.mkdir()
            with INPUTS[name](scans, scratch) as place:
                for job, flags in JOBS.items():
                    before = place.failed()
                    command = [sys.executable, "-m", f"pipelines.{job}", *place.flags, *flags]
                    command.append(f"--output={place.output(job)}")
                    subprocess.run(command, env=place.environment, check=True, capture_output=True)
                    found = results(place.files(job))
                    told = digest(found)
                    if told != expected.setdefault(job, told):
                        differ.append(name)
                    line = f"{name:<8} {job:<9} {len(found):>5}  {told:<16} {place.failed() - before:>15}"
                    print(f"{line}{'  DIFFERS' if told != expected[job] else ''}", flush=True)
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main())
