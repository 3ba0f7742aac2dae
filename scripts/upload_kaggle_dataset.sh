#!/usr/bin/env bash
# The bundle of a competition to Kaggle: scripts/upload_kaggle_dataset.sh projects/akkadian submit.kaggle.owner=YOU
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" submit --project "${1:?name the project}" --upload "${@:2}"
