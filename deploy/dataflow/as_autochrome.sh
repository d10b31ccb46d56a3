#!/bin/sh
# Runs a command without root's rights: as the user autochrome where the container was started as root.
#
#   as_autochrome.sh COMMAND [ARGUMENTS]
#
# Dataflow mounts /var/opt/google, into which Beam's worker writes what it is sent, as a folder of root's.
#
# The image has loops that were compiled for processors with AVX2.
set -eu

if grep -q -w avx2 /proc/cpuinfo 2>/dev/null; then
  export NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES=""
fi

if [ "$(id -u)" -eq 0 ]; then
  mkdir -p /var/opt/google
  chown autochrome: /var/opt/google
  HOME=/home/autochrome exec setpriv --reuid=autochrome --regid=autochrome --init-groups -- "$@"
fi
exec "$@"
