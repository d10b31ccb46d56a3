#!/bin/sh
# Runs a command without root's rights: as the user autochrome where the container was started as root.
#
#   as_autochrome.sh COMMAND [ARGUMENTS]
#
# Dataflow mounts /var/opt/google, into which Beam's worker writes what it is sent, as a folder of root's.
set -eu

if [ "$(id -u)" -eq 0 ]; then
  mkdir -p /var/opt/google
  chown autochrome: /var/opt/google
  HOME=/home/autochrome exec setpriv --reuid=autochrome --regid=autochrome --init-groups -- "$@"
fi
exec "$@"
