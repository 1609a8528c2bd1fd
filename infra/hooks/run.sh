#!/bin/sh
# Starts a hook of azd with the Python that is there: run.sh HOOK. Its twin for Windows is run.ps1.
set -eu
cd "$(dirname "$0")/../.."
for python in python3 python; do
  if command -v "$python" >/dev/null 2>&1 && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    exec "$python" -m infra.hooks "$@"
  fi
done
echo "hook: Python 3.11 or newer is needed on this machine" >&2
exit 2
