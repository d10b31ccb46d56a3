"""A worker process of a local run: Beam's, tied to its launcher, which is the one that hears Ctrl-C."""

import os
import signal
import sys

from pipelines.files import local_files
from pipelines.runtime import lifeline


def _end() -> None:
    local_files.abandon()
    os._exit(1)


def main() -> None:
    """Runs the worker until the launcher needs it no longer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline.follow(_end)  # before the imports, which take seconds
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
