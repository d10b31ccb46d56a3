#!/usr/bin/env bash
# Makes a TPU VM, trains on it and takes it down again.
#
#   deploy/training/tpu.sh PROJECT ZONE DATA OUTPUT
#
# TensorFlow for TPUs is a distribution of its own (tensorflow-tpu); its version must be one of this package's range.
set -euo pipefail

if [[ $# -ne 4 ]]; then
  echo "usage: $0 PROJECT ZONE DATA OUTPUT" >&2
  exit 2
fi
project=$1 zone=$2 data=$3 output=$4
name=autochrome-$RANDOM
place=(--project="$project" --zone="$zone")

gcloud compute tpus tpu-vm create "$name" "${place[@]}" --accelerator-type=v5litepod-8 --version=v2-alpha-tpuv5-lite --spot
trap 'gcloud compute tpus tpu-vm delete "$name" "${place[@]}" --quiet' EXIT

cd "$(dirname "$0")/../.."
archive=$(mktemp --suffix=.tar.gz)
git archive --output="$archive" HEAD
gcloud compute tpus tpu-vm scp "$archive" "$name:autochrome.tar.gz" "${place[@]}"
rm -f "$archive"

remote="set -e; mkdir -p autochrome; tar -xzf autochrome.tar.gz -C autochrome; cd autochrome
python3.11 -m venv .venv
.venv/bin/pip install --no-deps --require-hashes --requirement deploy/requirements-build.lock
.venv/bin/pip install --no-deps --require-hashes --no-build-isolation --requirement deploy/requirements-runtime.lock
.venv/bin/pip check
.venv/bin/pip install --force-reinstall --no-deps 'tensorflow-tpu>=2.21,<2.22' \
  --find-links https://storage.googleapis.com/libtpu-tf-releases/index.html
.venv/bin/pip install --no-deps --no-build-isolation .
TPU_NAME=local .venv/bin/autochrome train --strategy=tpu --config=unet --data=$(printf %q "$data") --output=$(printf %q "$output")"
gcloud compute tpus tpu-vm ssh "$name" "${place[@]}" --command="$remote"
