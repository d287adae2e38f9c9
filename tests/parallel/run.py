"""Tests by four threads each at once, and under a free-threaded interpreter the suite as well.

    python tests/parallel/run.py [--quick]

pytest-run-parallel lets each test run in several threads at the same time, and finds by itself which use what threads
share: warnings, output, monkeypatch. What else is left out is marked thread_unsafe. Under the GIL they take turns as
often as can be (--quick: some of the files). Under a free-threaded interpreter they run at once, after all of
tests/python by one thread, without what is marked needs_gil. The exit status is 1 if a test fails, or if anything
turned the GIL on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = Path("tests/python")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREADS = 4

QUICK = ["test_callback.py", "test_doubt.py", "test_levenberg_marquardt.py", "test_nonfinite_raise.py",
         "test_python_kernels.py", "test_typical_x.py"]  # fmt: skip


def run(name: str, *options: str, files: list[str] | None = None) -> bool:
    """Run pytest; whether it passed."""
    print(f"-- {name}", flush=True)
    tests = [TESTS / file for file in files or [""]]
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", "-m", "not slow", *options, *tests]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests by several threads each at once.")
    parser.add_argument("--quick", action="store_true", help="some of the files, in half a minute")
    quick = parser.parse_args().quick
    passed = True
    if FREE_THREADED and not quick:
        passed &= run("without the GIL")
    passed &= run(f"each test in {THREADS} threads at once, {'without' if FREE_THREADED else 'with'} the GIL",
                  f"--parallel-threads={THREADS}", "--skip-thread-unsafe=1", "-rfE",
                  files=QUICK if quick else None)  # fmt: skip
    return not passed


if __name__ == "__main__":
    sys.exit(main())
