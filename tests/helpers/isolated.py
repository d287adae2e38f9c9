"""Python source in a separate process, where a crash, corrupted memory or output on stderr is a plain failure."""

import os
import subprocess
import sys
from pathlib import Path

# Overwrite freed memory at once: glibc's by this, Python's by -X dev, which also guards its ends.
ENVIRONMENT = {"MALLOC_PERTURB_": "85", "OPENBLAS_NUM_THREADS": "1"}


def run_isolated(source):
    """Run source, which may import from tests/; it must exit with code 0 and write nothing to stderr."""
    __tracebackhide__ = True
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", source]
    process = subprocess.run(command, cwd=Path(__file__).parents[1], env=os.environ | ENVIRONMENT, capture_output=True,
                             text=True, timeout=120)
    if process.returncode or process.stderr:
        raise AssertionError(f"exit code {process.returncode}\n{process.stdout}{process.stderr}")
