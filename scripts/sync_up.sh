#!/usr/bin/env bash
# Settings and training files to it: scripts/sync_up.sh projects/shipibo
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" remote push --project "${1:?name the project}" "${@:2}"
