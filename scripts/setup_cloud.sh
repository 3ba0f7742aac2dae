#!/usr/bin/env bash
# Make a rented machine ready: SESHAT_REMOTE=root@203.0.113.7:2222 scripts/setup_cloud.sh
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" remote up "$@"
