"""Alerts and dashboard: read as Terraform reads them, and by the schema of the service that they go to."""

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
from google.cloud import monitoring_v3 as monitoring
from google.protobuf import json_format

from pipelines.runtime import outcomes

REPEATED = {"conditions", "aggregations"}


def plain(value: Any) -> Any:
    """What python-hcl2 reads, without quotes around strings, and with a block that may occur once as an object."""
    if isinstance(value, dict):
        named = {plain(key): plain(one) for key, one in value.items() if not key.startswith("__")}
        return {key: one if key in REPEATED or not is_block(one) else one[0] for key, one in named.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return json.loads(value) if isinstance(value, str) and value[:1] == value[-1:] == '"' else value


def is_block(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)


@pytest.fixture(scope="module")
def folder(repository) -> Path:
    return repository / "deploy" / "dataflow" / "terraform"


@pytest.fixture(scope="module")
def known(folder) -> dict[str, Any]:
    """The values of locals and variables."""
    found: dict[str, Any] = {}
    for name in ("alerts", "dashboard"):
        with (folder / f"{name}.tf").open() as file:
            found |= {f"local.{key}": value for key, value in plain(hcl2.load(file))["locals"].items()}
    with (folder / "variables.tf").open() as file:
        for block in plain(hcl2.load(file))["variable"]:
            found |= {f"var.{name}": told.get("default") for name, told in block.items()}
    return found


def filled(text: str, known: dict[str, Any]) -> str:
    """A text with its references resolved, also those in what they refer to."""
    while (found := re.search(r"\$\{((?:local|var)\.\w+)\}", text)) is not None:
        text = text.replace(found[0], str(known[found[1]]))
    return text


@pytest.fixture(scope="module")
def policies(folder, known) -> dict[str, monitoring.AlertPolicy]:
    with (folder / "alerts.tf").open() as file:
        resources = plain(hcl2.load(file))["resource"]
    made = {}
    for block in resources:
        for name, fields in block.get("google_monitoring_alert_policy", {}).items():
            assert fields.pop("notification_channels") == "${local.channels}"
            del fields["depends_on"]
            told = json.loads(json.dumps(fields), object_hook=lambda one: resolved(one, known))
            schema = monitoring.AlertPolicy
            made[name] = schema(json_format.ParseDict(told, schema.pb(schema())))
    return made


def resolved(fields: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {name: filled(value, known) if isinstance(value, str) else value for name, value in fields.items()}


def test_failed_jobs_failed_launches_many_rejected_photos_and_silence_are_alerted(policies):
    assert set(policies) == {"failed", "launch_failed", "rejected", "silent"}
    for policy in policies.values():
        assert policy.combiner == monitoring.AlertPolicy.ConditionCombinerType.OR
        assert policy.documentation.content.endswith(".")
        assert len(policy.conditions) == 1
    threshold = policies["failed"].conditions[0].condition_threshold
    assert 'metric.type = "dataflow.googleapis.com/job/is_failed"' in threshold.filter
    assert 'job_name = "autochrome-colorize"' in threshold.filter
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#logmatch
    assert policies["launch_failed"].alert_strategy.notification_rate_limit.period
    assert policies["launch_failed"].conditions[0].condition_matched_log.filter.startswith("resource.type = ")


def test_the_queries_name_every_outcome_of_a_photo(policies):
    query = policies["rejected"].conditions[0].condition_prometheus_query_language.query
    rejected, all_ = re.findall(r'metric_name=~"([\w|]+)"', query)
    assert set(rejected.split("|")) == set(outcomes.REASONS)
    assert set(all_.split("|")) == set(outcomes.REASONS) | set(outcomes.DONE) - {"ignored"}
    assert "> 0.05 * sum" in query
    silent = policies["silent"].conditions[0].condition_prometheus_query_language.query
    assert silent.startswith("absent_over_time(dataflow_googleapis_com:job_is_failed{")
    assert silent.endswith("}[8d])")


def test_queries_have_whole_brackets(policies, known):
    queries = [
        policies[name].conditions[0].condition_prometheus_query_language.query for name in ("rejected", "silent")
    ]
    queries += [filled(widget["query"], known) for widget in known["local.widgets"]]
    for query in queries:
        assert "${" not in query
        for first, last in ("()", "{}", "[]"):
            assert query.count(first) == query.count(last)
        assert query.count('"') % 2 == 0
        assert 'job_name="autochrome-colorize"' in query


def test_the_dashboard_fills_its_columns(folder, known):
    assert len(known["local.widgets"]) == 6
    assert len({widget["title"] for widget in known["local.widgets"]}) == 6
    text = (folder / "dashboard.tf").read_text()
    for field in ("displayName", "mosaicLayout", "columns = 12", "xPos", "yPos", "xyChart", "prometheusQuery"):
        assert field in text


def test_the_name_of_the_job_is_that_of_the_schedule(folder, known):
    schedule = (folder / "schedule.tf").read_text()
    assert re.findall(r'(?:jobName|  name) +=? *"([\w-]+)"', schedule) == 2 * [known["local.job"]]
