#!/usr/bin/env bash
# Trains on a plain virtual machine with a GPU, and again after every end that is none: the last checkpoint is taken up.
#
#   deploy/training/vm.sh IMAGE DATA OUTPUT [flags of train]
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: $0 IMAGE DATA OUTPUT [flags of train]" >&2
  exit 2
fi
image=$1 data=$2 output=$3
shift 3

for _ in {1..20}; do
  status=0
  docker run --rm --gpus=all --network=host --env=TF_CONFIG --entrypoint=autochrome "$image" \
    train --data="$data" --output="$output" "$@" || status=$?
  # 0: done. 2: something for the user to mend; starting again would not.
  if [[ $status -eq 0 || $status -eq 2 ]]; then
    exit "$status"
  fi
  echo "train ended with $status; once more in 10 s" >&2
  sleep "${RETRY_SECONDS:-10}"
done
exit "$status"
