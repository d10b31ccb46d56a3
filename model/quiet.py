"""A quiet start of TensorFlow, for command lines: what it logs about itself is of no use to who runs them."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from model import interrupt


@contextlib.contextmanager
def startup() -> Iterator[None]:
    """Silence TensorFlow's import: ``with quiet.startup(): import tensorflow``.

    Its C++ code writes some lines to file descriptor 2 before it reads any setting, so the descriptor itself is set
    aside for the while. When the import fails, what was written appears. The level TF_CPP_MIN_LOG_LEVEL, where the
    environment sets it, stands. Ctrl-C ends the process at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as written:
        try:
            with interrupt.at_once():
                os.dup2(written.fileno(), 2)
                yield
        except BaseException:
            written.seek(0)
            os.write(kept, written.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
