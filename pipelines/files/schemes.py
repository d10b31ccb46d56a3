"""The schemes of the stores that photos are read from and written to. Imports nothing slow: flags are checked first."""

import argparse
import re

from model import commands

SCHEMES = ("gs://", "s3://", "az://", "abfs://", "abfss://")
_OF_STORES = "|".join(scheme.removesuffix("://") for scheme in SCHEMES)


def place(text: str) -> str:
    """Return a flag's path as it is; an argparse error if it is neither local nor in a bucket of a supported store."""
    if re.match(rf"({_OF_STORES})://[^/]", text) or not commands.has_scheme(text):
        return text
    if named := re.match(rf"({_OF_STORES}):/", text, re.IGNORECASE):
        raise argparse.ArgumentTypeError(f"{text} is not a path in a bucket; write {named[1].lower()}://BUCKET/PATH")
    if text.lower().startswith("file:/"):
        return commands.path(text)
    raise argparse.ArgumentTypeError(f"{text} is not supported; give a local path, or one of gs://, s3:// and az://")
