#!/usr/bin/env bash
# Builds the images and both Flex Templates in Cloud Build.
#
#   deploy/dataflow/build.sh PROJECT REGION WORK_BUCKET TAG [--cuda]
#
# The repository and the accounts come from deploy/dataflow/terraform.
set -euo pipefail

if [[ $# -lt 4 || $# -gt 5 || ( $# -eq 5 && $5 != --cuda ) ]]; then
  echo "usage: $0 PROJECT REGION WORK_BUCKET TAG [--cuda]" >&2
  exit 2
fi
project=$1 region=$2 bucket=$3 tag=$4 cuda=${5:+1}

cd "$(dirname "$0")/../.."
gcloud builds submit . \
  --project="$project" \
  --region="$region" \
  --config=deploy/dataflow/cloudbuild.yaml \
  --gcs-source-staging-dir="gs://$bucket/source" \
  --substitutions="_REPOSITORY=$region-docker.pkg.dev/$project/autochrome,_TEMPLATES=gs://$bucket/templates,_TAG=$tag,_CUDA=$cuda"

# A tag keeps its digest for ever, see places.tf. Note it with the results.
gcloud artifacts docker images describe "$region-docker.pkg.dev/$project/autochrome/colorize:$tag" \
  --project="$project" \
  --format="value(image_summary.fully_qualified_digest)"
