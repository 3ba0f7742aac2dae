#!/usr/bin/env python3
"""The offline notebook of a competition: scripts/build_notebook.py projects/akkadian."""

import subprocess
import sys

if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "seshat", "submit", "--dry-run", "--project", *sys.argv[1:]]))
