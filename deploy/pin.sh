#!/usr/bin/env bash
# Writes the digests of the base images, as they are now, into the Dockerfile; commit what it changes. Needs Docker.
#
#   deploy/pin.sh
set -euo pipefail

file=${DOCKERFILE:-$(dirname "$0")/Dockerfile}
while read -r name image; do
  digest=$(docker buildx imagetools inspect "${image%@*}" --format '{{.Manifest.Digest}}')
  if [[ ! $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "$0: no digest of $image: $digest" >&2
    exit 1
  fi
  sed -i.old "s|^ARG $name=.*|ARG $name=${image%@*}@$digest|" "$file"
  rm "$file.old"
  echo "$name=${image%@*}@$digest"
done < <(sed -n 's/^ARG \([A-Z]*_IMAGE\)=\(.*\)/\1 \2/p' "$file")
