"""A job in one process imports Beam without what it does not use; any other job imports all of it."""

import subprocess
import sys

from pipelines.runtime.beam_import import CONNECTORS, without_connectors

IMPORTED = """
import sys
from pipelines.runtime.beam_import import CONNECTORS, without_connectors
with without_connectors(["--direct_num_workers=2"]):
    import apache_beam
assert not [name for name in CONNECTORS if name in sys.modules]
assert not [name for name in sys.modules if name.startswith(("azure.", "boto3", "google.cloud.bigquery"))]
import apache_beam.io.gcp.pubsub
"""


def test_a_local_job_imports_no_connector_and_can_import_one_later():
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_job_on_another_runner_has_all_connectors(monkeypatch):
    for name in CONNECTORS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for flags in (["--runner=DataflowRunner"], ["--direct_running_mode=multi_processing"]):
        with without_connectors(flags):
            assert not [name for name in CONNECTORS if name in sys.modules]
    with without_connectors([]):
        assert [name for name in CONNECTORS if name in sys.modules] == list(CONNECTORS)
