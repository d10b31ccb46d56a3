#!/usr/bin/env bash
# Trains on a plain virtual machine with a GPU; when training is cut short it starts again from the last checkpoint.
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
  # 0: done. 2: a mistake that starting again would not fix. 130: Ctrl-C.
  if [[ $status -eq 0 || $status -eq 2 || $status -eq 130 ]]; then
    exit "$status"
  fi
  echo "train ended with $status; once more in 10 s" >&2
  sleep "${RETRY_SECONDS:-10}"
done
exit "$status"
