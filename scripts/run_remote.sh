#!/usr/bin/env bash
# Start a command there and follow it: scripts/run_remote.sh projects/shipibo train
set -euo pipefail
"$(dirname "$0")/../.venv/bin/seshat" remote run --project "${1:?name the project}" -- "${@:2}"
exec "$(dirname "$0")/../.venv/bin/seshat" remote logs --project "$1"
