"""Python source in a process of its own, where a crash, corrupted memory and anything on stderr are plain failures."""

import os
import subprocess
import sys
from pathlib import Path

# What is freed is overwritten at once: by glibc here; Python's own memory by -X dev, which also guards its ends.
ENVIRONMENT = {"MALLOC_PERTURB_": "85", "OPENBLAS_NUM_THREADS": "1"}


def run_isolated(source):
    """Run source, which may import what lies in tests/: it must end with exit code 0, and silently on stderr."""
    __tracebackhide__ = True
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", source]
    process = subprocess.run(command, cwd=Path(__file__).parents[1], env=os.environ | ENVIRONMENT, capture_output=True,
                             text=True, timeout=120)
    if process.returncode or process.stderr:
        raise AssertionError(f"exit code {process.returncode}\n{process.stdout}{process.stderr}")
