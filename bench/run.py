#!/usr/bin/env python3
"""Compares ways to bring a company's tables into DuckDB; see --help and docs/benchmarks.md."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    subprocess.run([ROOT / "requirements" / "setup.sh", "dev"], check=True)
    subprocess.run([ROOT / "requirements" / "document-server.sh"], check=True)
    python = str(ROOT / ".venv" / "bin" / "python")
    os.environ["PYTHONPATH"] = f"{ROOT / 'bench'}:{ROOT / 'tests'}"  # the stand-in is in tests
    os.execv(python, [python, "-m", "watershed_bench", *sys.argv[1:]])  # noqa: S606
