"""An Airflow DAG, for Cloud Composer: each week's new scans in colour, from the Flex Template.

Airflow variables: autochrome_project, autochrome_region, autochrome_template, autochrome_work_bucket, autochrome_input,
autochrome_output, autochrome_subnetwork, autochrome_worker. It needs Airflow 3.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.google.cloud.operators.dataflow import DataflowStartFlexTemplateOperator
from airflow.sdk import DAG

LAUNCH = {
    # Dataflow refuses a second job of the same name while the first runs: two runs never share a folder.
    "launchParameter": {
        "jobName": "autochrome-colorize",
        "containerSpecGcsPath": "{{ var.value.autochrome_template }}",
        "parameters": {
            "input": "{{ var.value.autochrome_input }}",
            "output": "{{ var.value.autochrome_output }}",
            # The model that ships with Autochrome; for another one add "model": "gs://BUCKET/FOLDER/saved_model".
        },
        "environment": {
            "serviceAccountEmail": "{{ var.value.autochrome_worker }}",
            "tempLocation": "gs://{{ var.value.autochrome_work_bucket }}/tmp",
            "stagingLocation": "gs://{{ var.value.autochrome_work_bucket }}/staging",
            "machineType": "n2-standard-2",
            "maxWorkers": 50,
            "ipConfiguration": "WORKER_IP_PRIVATE",
            "subnetwork": "{{ var.value.autochrome_subnetwork }}",
        },
    }
}

with DAG(
    "autochrome_colorize",
    description="Colorizes what is new in the archive.",
    schedule="0 3 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=15)},
) as dag:
    DataflowStartFlexTemplateOperator(
        task_id="colorize",
        project_id="{{ var.value.autochrome_project }}",
        location="{{ var.value.autochrome_region }}",
        body=LAUNCH,
        deferrable=True,
        append_job_name=False,
    )
