"""Where one row's time goes outside func: its fit with replayed results, repeated under a profiler.

    PYTHONPATH=tests:benchmarks python benchmarks/profile_row.py [--scipy] [--seconds S] WORD...

The row is the one whose name in docs/benchmarks.md is WORD, or contains all words. Linux's perf samples the CPU clock;
if it is missing or forbidden, valgrind counts instructions. Symbols need an extension that has not been stripped.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

SHOWN = 14  # symbols


def run(row: str, package: str, seconds: float) -> None:
    """Run the row's fits for some seconds; for 0, twice."""
    from importlib import import_module

    from fits import Contestant
    from rows import FITS

    warnings.simplefilter("ignore")
    fit = next(fit for fit in FITS if str(fit) == row)
    contestant = Contestant(import_module(package).leastsq, fit, replayed=True)
    end = time.monotonic() + seconds
    fits, spent = 2, contestant.turn(2)
    while time.monotonic() < end:
        fits, spent = fits + 10, spent + contestant.turn(10)
    print(f"{row}, outside func, by {package}: {spent / fits * 1e6:.4g} µs a fit")


def perf(command: list[str], work: Path) -> list[str]:
    """Share, library and symbol, as perf reports them."""
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", str(work / "perf.data"), "--", *command]
    subprocess.run(record, check=True)
    report = ["perf", "report", "-i", str(work / "perf.data"), "--stdio", "-F", "overhead,dso,symbol", "-q"]
    lines = subprocess.run(report, check=True, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL).stdout
    return [line.strip() for line in lines.splitlines() if line.strip()]


def callgrind(command: list[str], work: Path) -> list[str]:
    """Instructions in the program, and in the extension's functions."""
    counts = work / "callgrind.out"
    subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counts}", *command], check=True)
    report = subprocess.run(["callgrind_annotate", "--auto=no", counts], check=True, stdout=subprocess.PIPE, text=True)
    return [line.strip() for line in report.stdout.splitlines() if re.search("PROGRAM TOTALS|_minpack", line)]


def perf_works() -> bool:
    """Whether perf is installed, and allowed to sample."""
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-o", os.devnull, "--", "true"]
    return shutil.which("perf") is not None and subprocess.run(command, capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="+", metavar="WORD")
    parser.add_argument("--scipy", action="store_true", help="profile SciPy's leastsq")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--run", metavar="PACKAGE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.words[0], options.run, options.seconds)
        return

    from rows import FITS

    names = [str(fit) for fit in FITS]
    found = [name for name in names if name == " ".join(options.words)] or [
        name for name in names if all(word in name for word in options.words)
    ]
    if len(found) != 1:
        raise SystemExit("\n".join([f"{len(found)} rows have {' and '.join(options.words)}, expected one:", *found]))
    use_perf = perf_works()
    package = "scipy.optimize" if options.scipy else "pyminpack"
    command = [sys.executable, __file__, found[0], "--run", package, "--seconds", str(options.seconds * use_perf)]
    with tempfile.TemporaryDirectory() as work:
        lines = (perf if use_perf else callgrind)(command, Path(work))
    print(*lines[:SHOWN], sep="\n")


if __name__ == "__main__":
    main()
