#!/usr/bin/env bash
# Colorizes 50 photos of the archive with a new template, and fails if the job does, or if more than 5 of them are rejected.
#
#   deploy/ci/canary.sh PROJECT REGION WORK_BUCKET TAG INPUT SUBNETWORK
#
# The photos go to tmp/canary of the work bucket, which is emptied after two weeks. The account that calls it needs the
# rights of autochrome-scheduler, and storage.objectViewer on the work bucket.
set -euo pipefail

if [[ $# -ne 6 ]]; then
  echo "usage: $0 PROJECT REGION WORK_BUCKET TAG INPUT SUBNETWORK" >&2
  exit 2
fi
project=$1 region=$2 bucket=$3 tag=$4 input=$5 subnetwork=$6
output=gs://$bucket/tmp/canary/$tag

job=$(gcloud dataflow flex-template run autochrome-canary \
  --project="$project" --region="$region" \
  --template-file-gcs-location="gs://$bucket/templates/colorize-$tag.json" \
  --parameters="input=$input,output=$output,sample=50" \
  --service-account-email="autochrome-worker@$project.iam.gserviceaccount.com" \
  --staging-location="gs://$bucket/staging" --temp-location="gs://$bucket/tmp" \
  --worker-machine-type=n2-standard-2 --max-workers=2 \
  --disable-public-ips --subnetwork="$subnetwork" \
  --format="value(job.id)")

state=JOB_STATE_QUEUED
while [[ $state =~ ^JOB_STATE_(QUEUED|PENDING|RUNNING)$ ]]; do
  sleep "${CANARY_SLEEP:-30}"
  state=$(gcloud dataflow jobs describe "$job" --project="$project" --region="$region" --format="value(currentState)")
done
echo "$job: $state"
[[ $state == JOB_STATE_DONE ]]

gcloud storage cat "$output/report.json" | python3 -c '
import json, sys

outcomes = json.load(sys.stdin)["outcomes"]
done = {"written", "kept", "copied", "skipped", "ignored"}
rejected = sum(number for outcome, number in outcomes.items() if outcome not in done)
print(outcomes)
sys.exit(rejected > 5)
'
