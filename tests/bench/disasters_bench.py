"""`colorize` through one disaster after the other: does it end with the files and records of a quiet run?

    PYTHONPATH=tests/bench:tests/gcs:tests/pipelines python tests/bench/disasters_bench.py --input=PHOTOS \\
        --model=SAVED_MODEL [--photos=500] [--rounds=30] [--disasters=3] [--seed=0]

The photos are cropped from those of a folder; some are cut short and some crash their decoder. They lie in a bucket (an
emulator behind a proxy that fails one request in twelve); the output is a folder. In each round a run into a new folder
meets some of these, by a seed, and is then left to finish:

* kill: SIGKILL for all its processes at some point of the work
* child: SIGKILL for the processes that decode, again and again
* disk: files of the output, its records among them, cannot be read at first (EIO)
* rights: the bucket refuses reads (403) or the credentials (401) for a while
* power: SIGKILL, and the disk is left with what was synced; files that were not are lost or empty
* second: another run starts while the first one works

A round is good when its files are those of the quiet run, byte for byte; when each record's digest is that of its file;
when every photo has one record, and no photo is rejected that the quiet run wrote. Ends with 1 when a round is not.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import emulator
from clouds import Cloud, behind_a_front
from colorize_job import digests, recorded
from disk_faults import DiskFaults

KINDS = ("kill", "child", "disk", "rights", "power", "second")
QUIET = {"cut_at": None}
HERE = Path(__file__).parent
PATHS = [HERE.parent.parent, HERE, HERE.parent / "pipelines", HERE.parent / "gcs"]
RATE = 1 / 12
LIMIT_S = 300


def make_photos(source: Path, count: int, folder: Path) -> None:
    """Crops of real photos; every 50th is cut short, every 125th crashes its decoder."""
    found = [path for path in sorted(source.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
    pictures = [picture for path in found[:40] if (picture := cv2.imread(str(path))) is not None]
    for index in range(count):
        picture = pictures[index % len(pictures)]
        top, left = (index * 37) % max(1, picture.shape[0] - 160), (index * 53) % max(1, picture.shape[1] - 240)
        encoded = cv2.imencode(".jpg", picture[top : top + 160, left : left + 240])[1].tobytes()
        if index % 50 == 49:
            encoded = encoded[: len(encoded) // 3]
        if index % 125 == 60:
            encoded += b"#die 11"
        path = folder / f"box {index % 7}" / f"{index:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded)


class Run:
    """One run of the command in a session of its own."""

    def __init__(self, flags: list[str], cloud: Cloud, settings: dict[str, Any], more: dict[str, str]) -> None:
        path = os.pathsep.join(map(str, PATHS))
        environment = {**cloud.environment, **more}
        environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [more.get("PYTHONPATH")]), path])
        command = [sys.executable, str(HERE / "disaster_run.py"), json.dumps(settings), *flags]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def kill(self) -> None:
        """SIGKILL for all of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that decode."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    session = int((entry / "stat").read_text().rpartition(") ")[2].split()[3])
                    if session == self.process.pid and b"photo_server" in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
        return found

    def end(self) -> tuple[int, str]:
        """Exit code and standard error."""
        try:
            _, stderr = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            _, stderr = self.process.communicate()
            stderr += "\nkilled: it did not end"
        return self.process.returncode, stderr


class Round:
    """A folder on its way through disasters."""

    def __init__(self, flags: list[str], output: Path, cloud: Cloud, draw: random.Random, photos: int) -> None:
        self._flags = [*flags, f"--output={output}"]
        self._output = output
        self._cloud = cloud
        self._draw = draw
        self._photos = photos
        self.met: list[str] = []

    def meet(self, kind: str) -> None:
        """Goes through one disaster."""
        code, stderr = getattr(self, f"_{kind}")()
        last = stderr.strip().splitlines()[-1:] or [""]
        self.met.append(f"{kind}: exit {code}, {len(recorded(self._output))} recorded; {last[0][:150]}")

    def finish(self) -> int:
        """Lets a run finish, in peace but for requests that fail now and then."""
        code, stderr = self._start().end()
        self.met.append(f"quiet: exit {code}; {stderr.strip().splitlines()[-1:]}")
        return code

    def _start(self, settings: dict[str, Any] = QUIET, **more: str) -> Run:
        return Run(self._flags, self._cloud, settings, more)

    def _wait(self, run: Run) -> None:
        """Waits until a random part of what is left has a record."""
        done = len(recorded(self._output))
        target = done + self._draw.randint(1, max(1, (self._photos - done) // 2))
        while run.process.poll() is None and len(recorded(self._output)) < target:
            time.sleep(0.02)

    def _kill(self) -> tuple[int, str]:
        run = self._start()
        self._wait(run)
        time.sleep(self._draw.uniform(0, 0.05))
        run.kill()
        return run.end()

    def _child(self) -> tuple[int, str]:
        run = self._start()
        for _ in range(self._draw.randint(1, 3)):
            self._wait(run)
            for pid in run.children()[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSEGV)
        run.kill()
        return run.end()

    def _disk(self) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as counts:
            faults = DiskFaults(Path(counts), rf"^{self._output}/(manifest/|box [0-3])", ["EIO", "ESTALE"], times=2)
            run = self._start(**{name: faults.environment[name] for name in ("PYTHONPATH", "FAILING_DISK")})
            self._wait(run)
            run.kill()
            return run.end()

    def _rights(self) -> tuple[int, str]:
        status = self._draw.choice([401, 403])
        self._cloud.faults.refuse(r"GET /download.*/o/photos", status, first=self._draw.randint(1, self._photos // 2))
        try:
            return self._start().end()
        finally:
            self._cloud.faults.allow()

    def _power(self) -> tuple[int, str]:
        done = len(recorded(self._output))
        with tempfile.TemporaryDirectory() as folder:
            world = Path(folder) / "world"
            cut_at = done + self._draw.randint(1, max(1, (self._photos - done) // 2))
            run = self._start({"cut_at": cut_at, "kind": self._draw.choice(["lost", "emptied"]), "world": str(world)})
            ended = run.end()
            if world.exists():
                left = pickle.loads(world.read_bytes())
                shutil.rmtree(self._output)
                for name, data in left.items():
                    path = self._output / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
            return ended

    def _second(self) -> tuple[int, str]:
        first = self._start()
        self._wait(first)
        if first.process.poll() is None:
            second = Run(self._flags, self._cloud, QUIET, {})
            code, stderr = second.end()
            if first.process.poll() is None and code != 2:
                self.met.append(f"FAULT: a second run was let in, exit {code}: {stderr[-200:]}")
        first.kill()
        return first.end()


def faults_of(output: Path, expected: dict[str, str], quiet: dict[str, dict], photos: int) -> list[str]:
    """What is wrong with a finished folder."""
    found, records = digests(output), recorded(output)
    wrong = [f"missing {name}" for name in expected.keys() - found.keys()]
    wrong += [f"left over {name}" for name in found.keys() - expected.keys()]
    wrong += [f"differs {name}" for name in expected.keys() & found.keys() if expected[name] != found[name]]
    if len(records) != photos:
        wrong.append(f"{len(records)} records of {photos} photos")
    for name, record in records.items():
        if record["status"] == "rejected" and quiet[name]["status"] != "rejected":
            wrong.append(f"rejected {name}: {record['reason']}")
        for one in record["outputs"]:
            path = output / one["name"]
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != one["sha256"]:
                wrong.append(f"forged {one['name']}")
    return wrong


def main() -> int:
    """Go through the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos to crop from")
    parser.add_argument("--model", required=True, metavar="DIR", help="saved_model folder, or released")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--disasters", type=int, default=3, help="of each round (3)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    bad, met = 0, Counter()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="disasters-")))
        bucket = stack.enter_context(emulator.running())
        (scratch / "front").mkdir()
        cloud = stack.enter_context(behind_a_front(bucket, scratch / "front", args.seed, RATE))
        make_photos(args.input, args.photos, scratch / "photos")
        flags = [f"--input={cloud.upload(scratch / 'photos', 'photos')}", f"--model={args.model}"]
        code, stderr = Run([*flags, f"--output={scratch / 'quiet'}"], cloud, QUIET, {}).end()
        if code:
            print(stderr)
            return 1
        expected, quiet = digests(scratch / "quiet"), recorded(scratch / "quiet")
        print(f"quiet run: {Counter(one['reason'] or one['status'] for one in quiet.values())}", flush=True)
        for number in range(args.rounds):
            draw = random.Random(f"{args.seed} {number}")
            output = scratch / f"round {number}"
            one = Round(flags, output, cloud, draw, args.photos)
            kinds = [KINDS[number % len(KINDS)], *draw.sample(KINDS, args.disasters - 1)]
            for kind in kinds:
                one.meet(kind)
            met.update(kinds)
            code = one.finish()
            wrong = faults_of(output, expected, quiet, args.photos)
            wrong += [line for line in one.met if line.startswith("FAULT")] + ([f"exit {code}"] if code else [])
            bad += bool(wrong)
            print(f"round {number}: {'; '.join(wrong[:5]) if wrong else 'good'}", flush=True)
            for line in one.met:
                print(f"    {line}", flush=True)
            shutil.rmtree(output)
    print(f"{args.rounds} rounds over {args.photos} photos, {bad} bad; disasters {dict(met)}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
