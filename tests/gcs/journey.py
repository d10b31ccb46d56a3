"""Commands of `autochrome`, one after the other in one process: ``python journey.py '[["report", "colour"], …]'``.

The process ends with the one that started it, which holds the other end of its standard input: without the proxy in
that process, commands would try to reach their bucket for ever.
"""

import json
import os
import sys
import threading

from pipelines import cli


def _end_with_the_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    for command in json.loads(sys.argv[1]):
        print("autochrome", *command, flush=True)
        if code := cli.main(command):
            sys.exit(code)
