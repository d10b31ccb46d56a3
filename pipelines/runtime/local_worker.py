"""A worker process of a local run: Beam's worker, tied to its launcher, which alone handles Ctrl-C."""

import os
import signal
import sys

from pipelines.files import local_files
from pipelines.runtime import lifeline


def _end() -> None:
    local_files.abandon()
    os._exit(1)


def main() -> None:
    """Run the worker until the launcher ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline.follow(_end)  # before the imports, which take seconds
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
