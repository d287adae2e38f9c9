"""Build a wheel for each CPython, check it, install it into an empty environment, and test what is installed there.

usage: ./dev wheel [--first] [--quick] [--no-suite]

The wheels come from the sdist, unpacked where no git is; so what is not committed is not in them. They hold our solver
alone (-Doriginal_minpack=none). Reads the interpreters' paths from standard input, one a line. Writes dist/, and
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
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheels"
DIST = ROOT / "dist"
LARGEST = 500_000  # bytes of a wheel
OPTIONS = ["-Csetup-args=-Doriginal_minpack=none", "-Cinstall-args=--strip"]
# The wheel has one solver by choice; these tests say that ./dev's own build has both, and what the other refuses.
NOT_FOR_WHEELS = (
    "test_solvers.py::test_the_suite_has_both_solvers",
    "test_levenberg_marquardt.py::test_MINPACKs_own_drivers_refuse_it",
    "test_many_points.py::test_MINPACKs_own_drivers_refuse_it",
    "test_races.py::test_each_thread_has_the_error_of_its_own_func[original]",
)
# At both ends of NumPy: these tests alone, which compare with nothing of SciPy's; and what cannot run there.
AT_BOTH_ENDS = ("test_levenberg_marquardt.py", "test_callback.py", "test_hostile.py", "test_python_kernels.py",
                "test_typical_x.py")  # fmt: skip
HARMLESS = "test_hostile.py::test_the_result_has_the_bits_of_a_well_behaved_twin_s_if_the_function"
REFUSED = "test_levenberg_marquardt.py::test_what_leastsq_does_not_take_from_func_is_refused_by_the_same_error"
KERNELS = "test_python_kernels.py::test_bad_input_is_refused_by_an_error_that_names_the_argument"
WITHOUT_NUMBA = {f"{HARMLESS}[is compiled by numba]": "Numba is for NumPy 1.24 to some 2.x"}
RAGGED = "NumPy 1.23 makes an array of objects of a ragged list, and warns"
NOT_FOR_LOWEST = {
    **WITHOUT_NUMBA,
    f"{REFUSED}[ragged]": RAGGED,
    "test_levenberg_marquardt.py::test_what_is_no_jacobian_is_refused[ragged": RAGGED,
    "test_levenberg_marquardt.py::test_a_bad_start_is_the_error_of_leastsq[[[1], [2, 3]]]": RAGGED,
    f"{KERNELS}[enorm: x must be an array": RAGGED,
    f"{KERNELS}[fdjac2: fvec is a list": RAGGED,
    f"{KERNELS}[fdjac2: fcn returned a t": RAGGED,
    "test_hostile.py::test_the_error_comes_from_any_call_at_once_if_the_function[reshapes its result at a garbage":
        "NumPy 1 has no arrays of 61 dimensions",
}  # fmt: skip
NOT_FOR_NEWEST = {
    **WITHOUT_NUMBA,
    f"{HARMLESS}[changes the strides": "NumPy 2.4 warns of strides that are set",
}  # fmt: skip
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
    """What a command printed; a Failure with all that it printed if it fails."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "PYMINPACK_")  # settings of whoever calls
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment["PATH"] = path or os.environ["PATH"]
    process = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)  # fmt: skip
    if process.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} ended with status {process.returncode}:\n{process.stdout}")
    return process.stdout


def group(name: str) -> list[str]:
    """The requirements of a dependency group."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        groups = tomllib.load(file)["dependency-groups"]

    def expanded(name: str) -> list[str]:
        return [one for entry in groups[name]
                for one in (expanded(entry["include-group"]) if isinstance(entry, dict) else [entry])]  # fmt: skip

    return expanded(name)


def tools() -> Path:
    """The folder of build, auditwheel, twine and so on, in an environment of their own."""
    wanted = "\n".join([sys.version, *group("release")])
    environment, installed = WORK / "tools", WORK / "tools" / "installed"
    if not installed.exists() or installed.read_text() != wanted:
        venv.create(environment, clear=True, with_pip=True)
        run([environment / "bin" / "python", "-m", "pip", "install", "-q", *group("release")])
        installed.write_text(wanted)
    return environment / "bin"


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
    """What a user needs: our modules, their types, the extension, the licence."""
    folder = ROOT / "src" / "pyminpack"
    sources = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    package = sources - {"_config.py.in"} | {"_config.py", "EXTENSION"}
    about = {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}
    return {f"pyminpack/{name}" for name in package} | {f"pyminpack-{version}.dist-info/{name}" for name in about}


def check(bin_folder: Path, wheel: Path) -> str:
    """Its tag and size; a Failure if anything is wrong with it before it is installed."""
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
    """Install the wheel as a stranger would, where nothing else is and no compiler: how long to the first fit."""
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


def run_suite(wheel: Path, venv_bin: Path, *selection: str) -> str:
    """The suite's part that depends on the interpreter, on the installed wheel; pytest's closing line."""
    run([venv_bin / "python", "-m", "pip", "install", "-q", f"{wheel}[examples]", *group("test")])
    left_out = [f"--deselect=tests/python/{test}" for test in NOT_FOR_WHEELS]
    command = [venv_bin / "python", "-m", "pytest", "-q", "tests/python", *left_out, *selection]
    return run(command, path=f"{venv_bin}{os.pathsep}{os.environ['PATH']}").splitlines()[-1]


def run_at_both_ends(wheel: Path, python: Path) -> list[str]:
    """Some of the suite with the lowest NumPy of pyproject.toml, where it has a wheel, and the newest."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        (lowest,) = tomllib.load(file)["project"]["dependencies"]
    # Any SciPy that goes with NumPy: nothing is compared with it.
    needed = [name for name in group("test") if re.match(r"pytest|sympy|hypothesis|pyelftools|tqdm", name)] + ["scipy"]
    environment, lines = WORK / "ends", []
    for numpy, left_out in (lowest.replace(">=", "=="), NOT_FOR_LOWEST), ("numpy", NOT_FOR_NEWEST):
        run([python, "-m", "venv", "--clear", environment])
        venv_bin = environment / "bin"
        try:
            run([venv_bin / "python", "-m", "pip", "install", "-q", "--only-binary", ":all:", numpy, *needed])
        except Failure as failure:
            if "No matching distribution" not in str(failure):
                raise
            lines.append(f"{numpy}: no wheel for this CPython")
            continue
        run([venv_bin / "python", "-m", "pip", "install", "-q", "--no-deps", wheel])
        version = run([venv_bin / "python", "-c", "import numpy; print(numpy.__version__)"]).strip()
        reject = [f"--deselect=tests/python/{test}" for test in (*NOT_FOR_WHEELS, *left_out)]
        tests = [f"tests/python/{name}" for name in AT_BOTH_ENDS]
        command = [venv_bin / "python", "-m", "pytest", "-q", "-m", "not slow", *tests, *reject]
        lines.append(f"NumPy {version}: {run(command).splitlines()[-1]}")
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
                environment = WORK / run([python, "-c", "import sys; print(sys.implementation.cache_tag)"]).strip()
                run([python, "-m", "venv", "--clear", environment])
                venv_bin = environment / "bin"
                wheel = build(bin_folder, venv_bin, source)
                print(check(bin_folder, wheel), flush=True)
                print(install_alone(wheel, venv_bin), flush=True)
                if not options.no_suite:
                    selection = ["-m", "not slow"] if options.quick else []
                    print(f"  {run_suite(wheel, venv_bin, *selection)}", flush=True)
                    print(*(f"  {line}" for line in run_at_both_ends(wheel, python)), sep="\n", flush=True)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print(f"{len([*DIST.glob('*.whl')])} wheels as they must be, in {DIST.name}/; {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
