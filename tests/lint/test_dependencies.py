"""What the packages import is declared in setup.py, and not only brought along by something else."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

OWN = {"autochrome", "pipelines", "model", "tfrecords"}
# Packages that several distributions share: modules, and the distribution that has them.
SHARED = {
    "azure.core": "azure-core",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.storage": "google-cloud-storage",
    "google.protobuf": "protobuf",
}


def required(setup: Path) -> list[str]:
    """The requirements that setup.py lists for everybody, for training with JAX, for stores, and for signing."""
    assigned = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in ast.parse(setup.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("REQUIRES", "EXTRAS")
    }
    extras = assigned["EXTRAS"]
    return [*assigned["REQUIRES"], *extras["jax"], *extras["s3"], *extras["azure"], *extras["sign"]]


def imported(folder: Path) -> Iterator[str]:
    """The absolute names of what the modules of a folder import."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def distribution(module: str, known: dict[str, list[str]]) -> str:
    """The distribution that a module belongs to."""
    for name, owner in SHARED.items():
        if module.startswith(name):
            return owner
    [owner] = set(known[module.partition(".")[0]])
    return owner


def test_everything_imported_is_declared(repository):
    declared = {re.split(r"[^\w-]", line)[0] for line in required(repository / "setup.py")}
    known = packages_distributions()
    outside = {
        distribution(module, known).lower().replace("_", "-")
        for package in OWN
        for module in imported(repository / package)
        if module.partition(".")[0] not in OWN | sys.stdlib_module_names
    }
    assert outside - declared == set()
