"""Build a wheel for each CPython, check it, install it into an empty environment, and test the installation.

usage: ./dev wheel [--first] [--quick] [--no-suite]

The wheels come from the sdist, unpacked outside git, so they hold only what is committed. They contain only our solver
(-Doriginal_minpack=none). Reads the interpreters' paths from standard input, one per line. Writes dist/, and
environments to build/wheels.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from environment import environment

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheels"
DIST = ROOT / "dist"
LARGEST = 500_000  # bytes in a wheel
OPTIONS = ["-Csetup-args=-Doriginal_minpack=none", "-Cinstall-args=--strip"]
FIRST_FIT = "from pyminpack import leastsq; assert abs(leastsq(lambda x: 2*(x-3)**2 + 1, 0)[0][0] - 3) < 1e-6"
IMPORT_TIME = """
import numpy, time
start = time.perf_counter()
import pyminpack
print(time.perf_counter() - start)
"""


class Failure(Exception):
    """What is wrong with a wheel."""


def run(command: list[str | Path], path: str | None = None, cwd: Path = ROOT) -> str:
    """A command's output; a Failure with all of it if the command fails."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "PYMINPACK_")  # the caller's settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment["PATH"] = path or os.environ["PATH"]
    process = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)  # fmt: skip
    if process.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} ended with status {process.returncode}:\n{process.stdout}")
    return process.stdout


def tools() -> Path:
    """The folder of build, auditwheel, twine and so on, in an environment of their own."""
    return environment(WORK / "tools", groups=["release"], anew=True, run=run)


def make_sdist(bin_folder: Path) -> Path:
    """The sdist of the last commit."""
    changed = run(["git", "status", "--porcelain", "--untracked-files=no"])
    if changed:
        print(f"not committed, so not in the wheels:\n{changed}", end="", flush=True)
    shutil.rmtree(DIST, ignore_errors=True)
    run([bin_folder / "python", "-m", "build", "--sdist", "--outdir", DIST, ROOT])
    (sdist,) = DIST.glob("*.tar.gz")
    run([bin_folder / "twine", "check", "--strict", sdist])
    return sdist


def build(bin_folder: Path, venv_bin: Path, source: Path) -> Path:
    """The wheel for an environment's interpreter, with the lowest manylinux tag that its symbols allow."""
    raw = WORK / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    run([venv_bin / "python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", raw, *OPTIONS, source])
    (built,) = raw.glob("*.whl")
    before = {*DIST.glob("*.whl")}
    run([bin_folder / "auditwheel", "repair", "-w", DIST, built], path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    (wheel,) = {*DIST.glob("*.whl")} - before
    return wheel


def expected_files(version: str) -> set[str]:
    """What a user needs: our modules and their types, the extension, the licence."""
    folder = ROOT / "src" / "pyminpack"
    sources = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    package = sources - {"_config.py.in"} | {"_config.py", "EXTENSION"}
    about = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    return {f"pyminpack/{name}" for name in package} | {f"pyminpack-{version}.dist-info/{name}" for name in about}


def check(bin_folder: Path, wheel: Path) -> str:
    """The wheel's tag and size; a Failure if anything is wrong with it before installation."""
    run([bin_folder / "check-wheel-contents", wheel])
    run([bin_folder / "twine", "check", "--strict", wheel])
    with zipfile.ZipFile(wheel) as archive:
        found = {re.sub(r"/_minpack\..*\.so$", "/EXTENSION", name) for name in archive.namelist() if name[-1] != "/"}
    different = found ^ expected_files(wheel.name.split("-")[1])
    if different:
        raise Failure(f"files that only the wheel or only src/pyminpack has: {', '.join(sorted(different))}")
    size = wheel.stat().st_size
    if size > LARGEST:
        raise Failure(f"{size} bytes, more than {LARGEST}")
    if "manylinux" not in wheel.name:
        raise Failure("auditwheel found no manylinux tag that its symbols allow")
    return f"{wheel.name}: {size / 1000:.0f} kB"


def install_alone(wheel: Path, venv_bin: Path) -> str:
    """Install the wheel as a user would, with no compiler and nothing else there: the time to the first fit."""
    alone = str(venv_bin)
    if any(shutil.which(name, path=alone) for name in ("cc", "gcc", "gfortran", "meson")):
        raise Failure(f"a compiler in {alone}")
    start = time.perf_counter()
    run([venv_bin / "python", "-m", "pip", "install", "-q", wheel], path=alone)
    run([venv_bin / "python", "-c", FIRST_FIT], path=alone)
    seconds = time.perf_counter() - start
    solvers = run([venv_bin / "python", "-c", "import pyminpack; print(*pyminpack.show_config('dicts')['solvers'])"],
                  path=alone)  # fmt: skip
    if solvers.split() != ["builtin"]:
        raise Failure(f"its solvers are {solvers.strip()}, not builtin alone")
    selftest = run([venv_bin / "python", "-m", "pyminpack", "--selftest"], path=alone).strip()
    import_time = statistics.median(float(run([venv_bin / "python", "-c", IMPORT_TIME], path=alone)) for _ in range(15))
    return (f"  pip install to the first fit {seconds:.1f} s; import over NumPy's {1000 * import_time:.1f} ms\n"
            f"  {selftest}")  # fmt: skip


def empty_environment(name: str, *requirements: str, python: Path, groups: Sequence[str] = ()) -> Path:
    """The folder of its programs."""
    shutil.rmtree(WORK / name, ignore_errors=True)
    return environment(WORK / name, *requirements, groups=groups, interpreter=python, run=run)


def run_tests(venv_bin: Path, marked: str) -> str:
    """Run what is so marked of tests/python, in as many processes as there are cores; pytest's closing line."""
    command = [venv_bin / "python", "-m", "pytest", "-q", "-n", "auto", "-m", marked, "tests/python"]
    return run(command, path=f"{venv_bin}{os.pathsep}{os.environ['PATH']}").splitlines()[-1]


def run_at_both_ends(wheel: Path, python: Path) -> list[str]:
    """Run part of the suite with pyproject.toml's lowest NumPy, if it has a wheel, and with the newest."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        (lowest,) = tomllib.load(file)["project"]["dependencies"]
    lines = []
    for numpy in lowest.replace(">=", "=="), "numpy":
        try:
            venv_bin = empty_environment("ends", "--only-binary=:all:", numpy, python=python, groups=["suite"])
        except Failure as failure:
            if "No matching distribution" not in str(failure):
                raise
            lines.append(f"{numpy}: no wheel for this CPython")
            continue
        run([venv_bin / "python", "-m", "pip", "install", "-q", "--no-deps", wheel])
        version = run([venv_bin / "python", "-c", "import numpy; print(numpy.__version__)"]).strip()
        lines.append(f"NumPy {version}: {run_tests(venv_bin, 'any_numpy and not slow and not needs_original')}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Wheels for every CPython here: built, checked, installed, tested.")
    parser.add_argument("--first", action="store_true", help="for the first interpreter alone")
    parser.add_argument("--quick", action="store_true", help="without the tests marked slow")
    parser.add_argument("--no-suite", action="store_true", help="the self-test, but not the suite")
    options = parser.parse_args()
    pythons = [Path(line.strip()) for line in sys.stdin]
    WORK.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        bin_folder = tools()
        sdist = make_sdist(bin_folder)
        print(f"{sdist.name}: {sdist.stat().st_size / 1000:.0f} kB", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(sdist) as archive:
                archive.extractall(folder, filter="data")
            (source,) = Path(folder).iterdir()
            for python in pythons[:1] if options.first else pythons:
                tag = run([python, "-c", "import sys; print(sys.implementation.cache_tag)"]).strip()
                venv_bin = empty_environment(tag, python=python)
                wheel = build(bin_folder, venv_bin, source)
                print(check(bin_folder, wheel), flush=True)
                print(install_alone(wheel, venv_bin), flush=True)
                if not options.no_suite:
                    environment(WORK / tag, groups=["test"], interpreter=python, run=run)
                    marked = "not needs_original" + " and not slow" * options.quick
                    print(f"  {run_tests(venv_bin, marked)}", flush=True)
                    print(*(f"  {line}" for line in run_at_both_ends(wheel, python)), sep="\n", flush=True)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print(f"{len([*DIST.glob('*.whl')])} wheels as they must be, in {DIST.name}/; {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
