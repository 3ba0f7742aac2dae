#!/usr/bin/env bash
# A trained model for llama.cpp and Ollama: scripts/export_model.sh projects/shipibo
set -euo pipefail
exec "$(dirname "$0")/../.venv/bin/seshat" export --project "${1:?name the project}" gguf "${@:2}"
