"""One run of `autochrome colorize` for `disasters_bench.py`: photos may crash their decoder, and the power may be cut.

    python tests/bench/disaster_run.py SETTINGS FLAGS…

SETTINGS is JSON: ``cut_at``, the number of records after which the power is cut, or null; ``kind``, ``lost`` or
``emptied``, the worst case that the disk is left in (see ``tests/pipelines/power.py``); and ``world``, the file that
takes what the disk then holds. Retries last seconds, so that an outage stops the job soon.
"""

import json
import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import hostile
import power
from colorize_job import recorded

from pipelines import cli
from pipelines.archive import context
from pipelines.files import patience


class Cutter(power.Recorder):
    """Notes what is durable, and at one moment what a power cut leaves of it."""

    def changes(self, event: str, path: str) -> None:
        """Follows removals; waits for ever once the power is cut."""
        with self._lock:
            if event in ("os.remove", "os.rmdir"):
                self._entries.get(str(Path(path).parent), {}).pop(Path(path).name, None)

    def cut(self, kind: str, world: Path) -> None:
        """Writes down what the disk holds and ends the process, all of it in one moment as far as files go."""
        with self._lock:
            left = self._lost() if kind == "lost" else self._emptied()
            world.write_bytes(pickle.dumps(left))
            os.killpg(os.getpgrp(), signal.SIGKILL)


def cut_power(cutter: Cutter, settings: dict, output: Path) -> None:
    """Waits for the number of records and cuts the power."""
    while len(recorded(output)) < settings["cut_at"]:
        time.sleep(0.02)
    cutter.cut(settings["kind"], Path(settings["world"]))


def main() -> int:
    """Run the command."""
    settings, flags = json.loads(sys.argv[1]), sys.argv[2:]
    context.render = hostile.broken_render
    patience.BUCKET_SECONDS, patience.DENIED_SECONDS, patience.LOCAL_SECONDS = 20.0, 3.0, 10.0
    if settings["cut_at"] is None:
        return cli.main(["colorize", *flags])
    output = Path(next(flag for flag in flags if flag.startswith("--output=")).partition("=")[2])
    output.mkdir(parents=True, exist_ok=True)
    with power.recorded(output, Cutter) as cutter:
        threading.Thread(target=cut_power, args=(cutter, settings, output), daemon=True).start()
        return cli.main(["colorize", *flags])


if __name__ == "__main__":
    sys.exit(main())
