"""An emulator of Cloud Storage in a process of its own, in memory, with one empty bucket."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BUCKET = "photos"


@contextmanager
def running() -> Iterator[str]:
    """Runs the emulator, to which this process and those it starts talk meanwhile; gives the bucket's name."""
    from apache_beam.internal.gcp import auth

    from model import google_cloud

    emulator, port = _started()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://localhost:{port}")
        # Beam takes half a minute to find that there are no credentials; this says so at once.
        patch.setattr(auth._Credentials, "_credentials_init", True)
        google_cloud.client.cache_clear()
        yield BUCKET
    emulator.kill()
    emulator.wait()
    google_cloud.client.cache_clear()


def _started() -> tuple[subprocess.Popen[bytes], int]:
    """Starts the emulator and waits until it answers; if another process took its port meanwhile, it tries another."""
    while True:
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "gcp_storage_emulator", "start", f"--port={port}", "--in-memory"]
        emulator = subprocess.Popen(
            [*command, f"--default-bucket={BUCKET}"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        while emulator.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("localhost", port)) == 0:
                    return emulator, port
            time.sleep(0.05)
