"""Run the clients' own tests with SciPy's leastsq and with ours in its place, and fail where ours alone fails.

usage: python tests/clients/run.py [--work FOLDER] [--more] [CLIENT ...]

Ours comes into its place in three ways: its name swapped for SciPy's; by ``python -m pyminpack``, before anything is
imported; by `pyminpack.patch_scipy` when all is imported. Everything is written under the work folder: a virtual
environment with the clients of table.py and pyminpack built from this tree (kept for the next time), and for each run
its log, its JUnit report and what the tests wrote. Two runs go side by side.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import snippets
from environment import environment as make_environment
from table import CLIENTS, COMMON, EXPECTED, MORE

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT = 1800  # seconds that one run may take
ENDED_NORMALLY = (0, 1)  # pytest's exit status without and with failed tests


class Way(NamedTuple):
    """How ours comes into SciPy's place, or does not."""

    name: str
    program: tuple[str, ...]  # Python's arguments, in front of pytest's
    plugins: tuple[str, ...]  # pytest's; formatted with client


UNSWAPPED = Way("SciPy's", ("-m", "pytest"), ())
SWAPPED = Way("swapped", ("-m", "pytest"), ("swap_{client.swap}", "count_calls"))
COMMAND = Way("command", ("-m", "pyminpack", "-m", "pytest"), ("count_calls",))
PATCHED_LATE = Way("late", ("-m", "pytest"), ("count_calls", "patch_late"))


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


def ways_of(client):
    """How ours takes the place of SciPy's for a client, besides not at all."""
    if client.swap == "curve_fit":
        return (SWAPPED,)
    return (COMMAND, PATCHED_LATE) if client in MORE else (SWAPPED, COMMAND, PATCHED_LATE)


def pip(work, *arguments):
    """Run the environment's pip."""
    bin_folder = work / "venv" / "bin"
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([bin_folder / "python", "-m", "pip", *arguments], env=os.environ | {"PATH": path}, check=True)


def install(work, table):
    """Make the environment anew if the table or the interpreter changed, and put the present pyminpack into it."""
    clients = [f"{client.name}=={client.version}" for client in table]
    needs = [need for client in table for need in client.needs]
    requirements = sorted({*COMMON, *snippets.REQUIREMENTS, *clients, *needs})
    make_environment(work / "venv", *requirements, groups=["build"], anew=True)
    for client in table:
        if client.sdist and not (work / "sdist" / f"{client.name}-{client.version}.tar.gz").exists():
            only = ("--no-deps", f"--no-binary={client.name}", f"{client.name}=={client.version}")
            pip(work, "download", "-q", "-d", work / "sdist", *only)
    build = f"-Cbuild-dir={work / 'build' / sys.implementation.cache_tag}"
    pip(work, "install", "-q", "--no-build-isolation", "--no-deps", "--force-reinstall", build, ROOT)


def unpack(work, client, folder):
    """Unpack the client's sdist and return where it is; the package itself is left out, for it is installed."""
    root = folder / f"{client.name}-{client.version}"
    with tarfile.open(work / "sdist" / f"{root.name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(root / ("src" if (root / "src").exists() else client.name))
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


def run(work, client, way):
    """Run the client's suite in a new folder."""
    folder = work / way.name / client.title
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
    command = [work / "venv" / "bin" / "python", *way.program, "-c", HERE / "pytest.ini", f"--rootdir={rootdir}"]
    command += ["-p" + plugin.format(client=client) for plugin in way.plugins]
    command += [f"--junit-xml={report}", *client.arguments]
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


def complaints(client, way, scipys, ours):
    """What is wrong with a way, one line each; nothing if ours does as SciPy's."""
    for name, suite in ((UNSWAPPED.name, scipys), (way.name, ours)):
        if suite.status not in ENDED_NORMALLY:
            yield f"the run {name} ended with status {suite.status}: {suite.log}"
            return
    if not scipys.passed:
        yield f"no test passed with SciPy's: {scipys.log}"
    if way is SWAPPED and ours.doubts != client.doubted:
        yield f"{ours.doubts} fits were doubted, {client.doubted} are known: look at their tests in {ours.log}"
    if not ours.calls:
        yield f"leastsq was never called: {ours.log}"
    spoilt = (scipys.passed - ours.passed) | (ours.failed.keys() - scipys.failed.keys())
    spoilt -= set(client.timed)
    for test in set(client.timed) - ours.passed - ours.failed.keys():
        yield f"{test}, timed, was not run: mend the table"
    expected = {row.test: row for row in EXPECTED if row.client == client.title} if way is SWAPPED else {}
    for test in sorted(spoilt | expected.keys()):
        failure = ours.failed.get(test, "not run, or skipped")
        if test not in expected:
            yield f"{test} passes with SciPy's and not with ours, {way.name}: {ours.log}\n{failure}"
        elif test not in spoilt:
            yield f"{test} was expected to fail with ours alone and does not: mend the table"
        elif expected[test].failure not in failure:
            yield f"{test} fails for another reason than the table names: {ours.log}\n{failure}"


def notes(client, way, scipys, ours):
    """The failures that are not held against ours, one line each."""
    for test in sorted(scipys.failed.keys() | (ours.failed.keys() & set(client.timed))):
        solvers = [name for name, suite in (("SciPy's", scipys), (way.name, ours)) if test in suite.failed]
        yield f"{test} fails with {' and '.join(solvers)}"


def main():
    """Print a line for each run, then what is wrong; exit with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "clients", help="folder for all that is written")
    parser.add_argument("--more", action="store_true", help="the clients of the long run instead, patched only")
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help="names of the table; default: all")
    arguments = parser.parse_args()
    table = MORE if arguments.more else CLIENTS
    names = [client.title for client in table]
    unknown = set(arguments.clients) - set(names)
    if unknown:
        parser.error(f"no such client: {', '.join(sorted(unknown))}; expected some of {', '.join(names)}")
    work = arguments.work.resolve() / ("more" if arguments.more else "")
    temporary = work / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TMPDIR": str(temporary), "PIP_CACHE_DIR": str(work / "pip-cache")}
    install(work, table)

    wrong, also = [], []
    print(f"{'client':<24}{'leastsq':<11}{'passed':>7}{'skipped':>9}{'failed':>8}{'new':>5}{'calls':>7}{'seconds':>9}")
    for client in table:
        if arguments.clients and client.title not in arguments.clients:
            continue
        ways = ways_of(client)
        with ThreadPoolExecutor(2) as pool:
            scipys, *suites = pool.map(lambda way, client=client: run(work, client, way), (UNSWAPPED, *ways))
        for way, suite in zip((UNSWAPPED, *ways), (scipys, *suites), strict=True):
            calls = "" if suite.calls is None else suite.calls
            new = len(suite.failed.keys() - scipys.failed.keys() - set(client.timed))
            print(f"{client.title + ' ' + client.version:<24}{way.name:<11}{len(suite.passed):>7}"
                  f"{len(suite.skipped):>9}{len(suite.failed):>8}{new:>5}{calls:>7}{suite.seconds:>9.1f}", flush=True)
        for way, suite in zip(ways, suites, strict=True):
            wrong += [f"{client.title}: {complaint}" for complaint in complaints(client, way, scipys, suite)]
            also += [f"{client.title}: {note}" for note in notes(client, way, scipys, suite)]
    if table is CLIENTS and not arguments.clients:
        wrong += snippets.complaints(work / "venv" / "bin" / "python", work / "snippets")
    for row in EXPECTED:
        if row.client in (arguments.clients or names):
            print(f"\nexpected to fail, swapped: {row.client}: {row.test}\n  {row.reason}")
    for note in also:
        print(f"\nnot held against ours: {note}")
    for complaint in wrong:
        print(f"\nFAILED {complaint}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
