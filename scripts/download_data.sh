#!/usr/bin/env bash
# The raw files that a project lists: scripts/download_data.sh projects/shipibo
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" download --project "${1:?name the project}" "${@:2}"
