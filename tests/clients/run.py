"""Run the clients' own tests twice, with SciPy's leastsq and with ours, and fail where ours alone fails.

usage: python tests/clients/run.py [--work FOLDER] [CLIENT ...]

Everything is written under the work folder: a virtual environment with the clients of table.py and pyminpack built from
this tree (kept for the next time), and for each run its log, its JUnit report and what the tests wrote. The two runs of
a client go side by side.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import venv
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from table import CLIENTS, COMMON, EXPECTED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT = 1800  # seconds that one run may take
ENDED_NORMALLY = (0, 1)  # pytest's exit status without and with failed tests


class Run(NamedTuple):
    """What came of a client's suite."""

    status: int  # pytest's exit status
    passed: set[str]
    skipped: set[str]
    failed: dict[str, str]  # test: report of its failure
    calls: int | None  # of our leastsq; None: nobody counted
    doubts: int  # successes that ours doubted by a warning
    seconds: float
    log: Path


def pip(work, *arguments):
    """Run the environment's pip."""
    bin_folder = work / "venv" / "bin"
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PIP_CACHE_DIR": str(work / "pip-cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    subprocess.run([bin_folder / "python", "-m", "pip", *arguments], env=environment, check=True)


def install(work):
    """Make the environment if the table or the interpreter changed, and put the present pyminpack into it."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        build_tools = tomllib.load(file)["build-system"]["requires"]
    clients = [f"{client.name}=={client.version}" for client in CLIENTS]
    requirements = sorted({*COMMON, *clients, *build_tools, *(need for client in CLIENTS for need in client.needs)})
    installed = work / "installed"
    wanted = "\n".join([sys.version, *requirements])
    if not installed.exists() or installed.read_text() != wanted:
        installed.unlink(missing_ok=True)
        shutil.rmtree(work / "build", ignore_errors=True)
        venv.create(work / "venv", clear=True, with_pip=True)
        pip(work, "install", "-q", *requirements)
        for client in CLIENTS:
            if client.sdist:
                requirement = f"{client.name}=={client.version}"
                pip(work, "download", "-q", "--no-deps", "--no-binary=:all:", "-d", work / "sdist", requirement)
        installed.write_text(wanted)
    build = f"-Cbuild-dir={work / 'build'}"
    pip(work, "install", "-q", "--no-build-isolation", "--no-deps", "--force-reinstall", build, ROOT)


def unpack(work, client, folder):
    """Unpack the client's sdist and return where it is; the package itself is left out, for it is installed."""
    root = folder / f"{client.name}-{client.version}"
    with tarfile.open(work / "sdist" / f"{root.name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(root / client.name)
    return root


def outcomes(report):
    """The tests of a JUnit report: those passed, those skipped, and those failed with what pytest says of it."""
    passed, skipped, failed = set(), set(), {}
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}"
        failures = [*case.iter("failure"), *case.iter("error")]
        if failures:
            failed[test] = "\n".join(failure.text or failure.get("message", "") for failure in failures)
        elif case.find("skipped") is not None:
            skipped.add(test)
        else:
            passed.add(test)
    return passed - failed.keys(), skipped - failed.keys(), failed


def run(work, client, swapped):
    """Run the client's suite in a new folder."""
    folder = work / ("swapped" if swapped else "unswapped") / client.title
    shutil.rmtree(folder, ignore_errors=True)
    home, temporary, tests = (folder / name for name in ("home", "tmp", "tests"))
    for new in (home, temporary, tests):
        new.mkdir(parents=True)
    if client.sdist:
        rootdir = tests = unpack(work, client, tests)
    else:
        rootdir = next((work / "venv" / "lib").glob("python*")) / "site-packages"
    report, log = folder / "junit.xml", folder / "log.txt"
    unwanted = ("PYTEST", "PYTHON", "XDG_")  # settings of whoever calls
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment |= {
        "HOME": str(home),
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(HERE),
        "TMPDIR": str(temporary),
    }
    command = [work / "venv" / "bin" / "python", "-m", "pytest", "-c", HERE / "pytest.ini", f"--rootdir={rootdir}"]
    command += [f"--junit-xml={report}", *(["-p", f"swap_{client.swap}"] if swapped else []), *client.arguments]
    start = time.monotonic()
    with open(log, "w") as file:
        status = subprocess.run(
            command, cwd=tests, env=environment, stdout=file, stderr=subprocess.STDOUT, timeout=LIMIT
        ).returncode
    seconds = time.monotonic() - start
    counted = re.search(r"^pyminpack\.leastsq was called (\d+) times$", log.read_text(), re.MULTILINE)
    doubts = log.read_text().count("\npyminpack.leastsq doubted: ")
    calls = int(counted[1]) if counted else None
    tests_of = outcomes(report) if report.exists() else (set(), set(), {})
    return Run(status, *tests_of, calls, doubts, seconds, log)


def complaints(client, unswapped, swapped):
    """What is wrong, one line each; nothing if ours does as SciPy's."""
    for kind, suite in (("unswapped", unswapped), ("swapped", swapped)):
        if suite.status not in ENDED_NORMALLY:
            yield f"the {kind} run ended with status {suite.status}: {suite.log}"
            return
    if not unswapped.passed:
        yield f"no test passed unswapped: {unswapped.log}"
    if swapped.doubts != client.doubted:
        yield f"{swapped.doubts} fits were doubted, {client.doubted} are known: look at their tests in {swapped.log}"
    if not swapped.calls:
        yield f"leastsq was never called: {swapped.log}"
    spoilt = (unswapped.passed - swapped.passed) | (swapped.failed.keys() - unswapped.failed.keys())
    spoilt -= set(client.timed)
    for test in set(client.timed) - swapped.passed - swapped.failed.keys():
        yield f"{test}, timed, was not run: mend the table"
    expected = {row.test: row for row in EXPECTED if row.client == client.title}
    for test in sorted(spoilt | expected.keys()):
        failure = swapped.failed.get(test, "not run, or skipped")
        if test not in expected:
            yield f"{test} passes with SciPy's and not with ours: {swapped.log}\n{failure}"
        elif test not in spoilt:
            yield f"{test} was expected to fail with ours alone and does not: mend the table"
        elif expected[test].failure not in failure:
            yield f"{test} fails for another reason than the table names: {swapped.log}\n{failure}"


def notes(client, unswapped, swapped):
    """The failures that are not held against ours, one line each."""
    for test in sorted(unswapped.failed.keys() | (swapped.failed.keys() & set(client.timed))):
        solvers = [solver for solver, suite in (("SciPy's", unswapped), ("ours", swapped)) if test in suite.failed]
        yield f"{test} fails with {' and '.join(solvers)}"


def main():
    """Print a line for each run, then what is wrong; exit with 1 if anything is."""
    names = [client.title for client in CLIENTS]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "clients", help="folder for all that is written")
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"of {', '.join(names)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.clients) - set(names)
    if unknown:
        parser.error(f"no such client: {', '.join(sorted(unknown))}")
    work = arguments.work.resolve()
    temporary = work / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    install(work)

    wrong, also = [], []
    print(f"{'client':<24}{'leastsq':<11}{'passed':>7}{'skipped':>9}{'failed':>8}{'calls':>7}{'seconds':>9}")
    for client in CLIENTS:
        if arguments.clients and client.title not in arguments.clients:
            continue
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda swapped, client=client: run(work, client, swapped), (False, True)))
        for solver, suite in zip(("SciPy's", "ours"), both, strict=True):
            calls = "" if suite.calls is None else suite.calls
            print(f"{client.title + ' ' + client.version:<24}{solver:<11}{len(suite.passed):>7}{len(suite.skipped):>9}"
                  f"{len(suite.failed):>8}{calls:>7}{suite.seconds:>9.1f}", flush=True)
        wrong += [f"{client.title}: {complaint}" for complaint in complaints(client, *both)]
        also += [f"{client.title}: {note}" for note in notes(client, *both)]
    for row in EXPECTED:
        if not arguments.clients or row.client in arguments.clients:
            print(f"\nexpected to fail with ours: {row.client}: {row.test}\n  {row.reason}")
    for note in also:
        print(f"\nnot held against ours: {note}")
    for complaint in wrong:
        print(f"\nFAILED {complaint}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
