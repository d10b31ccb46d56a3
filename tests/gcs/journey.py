"""Commands of `autochrome`, one after the other in one process: ``python journey.py '[["report", "colour"], …]'``."""

import json
import sys

from pipelines import cli

if __name__ == "__main__":
    for command in json.loads(sys.argv[1]):
        print("autochrome", *command, flush=True)
        if code := cli.main(command):
            sys.exit(code)
