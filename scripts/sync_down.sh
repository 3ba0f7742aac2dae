#!/usr/bin/env bash
# Models and reports back: scripts/sync_down.sh projects/shipibo
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" remote pull --project "${1:?name the project}" "${@:2}"
