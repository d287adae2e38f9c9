"""Build with each row of table.py: the same bits as libminpack.so.1 and the floating-point state untouched, or refused.

    python tests/builds/run.py [--of-each-kind] [WORD ...]

With words, only the builds whose names contain one of them. Needs Python from an environment with the requirements of
the tests; the package that is installed there is not touched. Builds and logs go to build/builds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from table import BUILDS, OF_EACH_KIND, Build

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
WORK = REPOSITORY / "build" / "builds" / sys.implementation.cache_tag


class Failure(Exception):
    """What a build did wrong."""


def run(command: list[str | Path], environment: dict[str, str], log: Path) -> tuple[int, str]:
    """The exit status and the standard output of a command, which go to a log, too."""
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    process = subprocess.run(command, cwd=REPOSITORY, env=environment | {"PATH": path}, text=True, capture_output=True)
    with open(log, "a") as file:
        file.write(f"{command}\n{process.stdout}{process.stderr}")
    return process.returncode, process.stdout


def verdict(build: Build) -> str:
    """What became of a build; raises a Failure if that is not what it must be."""
    folder = WORK / re.sub(r"[^\w=]+", "-", build.name).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log, installed, meson = folder / "log", folder / "installed", folder / "meson"
    places = [f"-D{place}={installed}" for place in ("prefix", "python.platlibdir", "python.purelibdir")]

    status, output = run(["meson", "setup", meson, REPOSITORY, "-Dkernels=true", *places, *build.options],
                         build.environment(), log)  # fmt: skip
    if build.refused is not None:
        return refusal(status, output, build.refused)
    if status == 0:
        status, _ = run(["meson", "install", "-C", meson], os.environ | {"NINJA_STATUS": ""}, log)
    if status != 0:
        raise Failure(f"it does not build; see {log}")

    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, [installed, HERE.parent])),
        "PYMINPACK_KERNELS": str(meson / "minpack" / "libminpack_kernels.so"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    status, output = run([sys.executable, HERE / "examine.py"], os.environ | variables, log)
    if status != 0:
        raise Failure(f"exit status {status} of its check; see {log}")
    found = json.loads(output)
    if found != {"state": [], "sees nan": True, "threads": True, "original": build.original, "fits": 0, "calls": 0}:
        raise Failure(json.dumps(found))
    return "same bits, state untouched"


def refusal(status: int, output: str, flag: str) -> str:
    """The error of a setup that has to name a flag."""
    errors = [line.partition("ERROR: ")[2] for line in output.splitlines() if "ERROR: " in line]
    if status == 0 or len(errors) != 1 or flag not in errors[0]:
        raise Failure(f"exit status {status}, not one error that names {flag}: {errors}")
    return f"refused: {errors[0]}"


def work(build: Build) -> bool:
    start = time.monotonic()
    try:
        kind, text = "ok", verdict(build)
    except Failure as failure:
        kind, text = "FAILED", str(failure)
    print(f"{time.monotonic() - start:4.0f} s  {kind:6} {build.name}: {text}", flush=True)
    return kind == "ok"


def main() -> int:
    parser = argparse.ArgumentParser(description="Build with flags of all kinds: the same bits, or refused.")
    parser.add_argument("--of-each-kind", action="store_true", help="one for each way that flags come")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only builds with one of these words in their name")
    options = parser.parse_args()
    builds = OF_EACH_KIND if options.of_each_kind else BUILDS
    builds = [build for build in builds if not options.words or any(word in build.name for word in options.words)]
    start = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        good = sum(pool.map(work, builds))
    print(f"{good} of {len(builds)} builds as they must be, {time.monotonic() - start:.0f} s; logs in {WORK}")
    return good != len(builds)


if __name__ == "__main__":
    sys.exit(main())
