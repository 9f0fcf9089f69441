#!/usr/bin/env python3
"""Compares ways to bring a company's tables into DuckDB; see --help and docs/benchmarks.md."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    for script in ("requirements/setup.sh", "requirements/document-server.sh"):
        subprocess.run([ROOT / script], check=True)
    python = str(ROOT / ".venv" / "bin" / "python")
    os.environ["PYTHONPATH"] = str(ROOT / "bench")
    os.execv(python, [python, "-m", "watershed_bench", *sys.argv[1:]])  # noqa: S606
