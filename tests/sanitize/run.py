"""The suite under AddressSanitizer, UBSan and gfortran -fcheck=all, and a part of it under valgrind's memcheck.

    python tests/sanitize/run.py [--only address | --only valgrind]

Needs gcc, gfortran and valgrind, and Python from an environment with the requirements of the tests; the package that is
installed there is not touched. Builds and logs go to build/sanitize. The exit status is 1 if a test fails, if anything
is reported that our own code is part of, or if a tool misses one of the bugs in teeth.py.
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
BUILD = REPOSITORY / "build" / "sanitize" / sys.implementation.cache_tag

OURS = re.compile(r"/(src/_minpack|minpack)/(\w+/)?\w+\.(c|[fF]90):")  # a frame in a stack
COVERED = 0.95  # of our lines, what valgrind's part of the suite executes at least; most others handle what cannot be

# Standard error is not captured, since UBSan and the checks of Fortran report there.
PYTEST = ["-m", "pytest", "-q", "--capture=sys", "-p", "no:cacheprovider", "-p", "selection", REPOSITORY / "tests"]
# NumPy warns of valgrind's long doubles, which have the precision of doubles.
PYTEST += ["-W", "ignore:Signature b:UserWarning"]

Command = list[str | Path]


class Finding(Exception):
    """What a step found wrong."""


class Part:
    """A build of our code, and a tool that watches what it does."""

    name: str
    options: list[str]  # of the build
    bugs: dict[str, str]  # of teeth.py, with what the tool must report

    def __init__(self) -> None:
        self.folder = BUILD / self.name
        self.installed, self.logs = self.folder / "installed", self.folder / "logs"

    def steps(self) -> list[Callable[[], str]]:
        """In order; each says in a line what it has done, or raises a Finding."""
        raise NotImplementedError

    def watched(self, log: str, *arguments: str | Path, **options: str) -> int:
        """Run Python under the tool; the exit status."""
        raise NotImplementedError

    def reports(self, log: str) -> list[str]:
        """What the tool has reported of our code."""
        raise NotImplementedError

    def build(self) -> str:
        """Compile, and install into a folder for PYTHONPATH."""
        for folder in (self.logs, self.installed):
            shutil.rmtree(folder, ignore_errors=True)
        self.logs.mkdir(parents=True)
        again = ["--reconfigure"] if (self.folder / "build.ninja").exists() else []
        places = [f"-D{place}={self.installed}" for place in ("prefix", "python.platlibdir", "python.purelibdir")]
        commands: list[Command] = [
            ["meson", "setup", *again, self.folder, REPOSITORY, "-Dkernels=true", *places, *self.options],
            ["meson", "install", "-C", self.folder],
        ]
        for command in commands:
            if self.run("build", command, {}) != 0:
                raise Finding(f"it fails; see {self.log('build')}")
        return " ".join(self.options)

    def teeth(self) -> str:
        """The tool reports every planted bug."""
        for bug in self.bugs:
            self.watched(bug, HERE / "teeth.py", bug)
            self.require(bug, self.bugs[bug])
        return f"{len(self.bugs)} planted bugs, each reported"

    def require(self, log: str, pattern: str) -> None:
        if not any(re.search(pattern, report, re.DOTALL) for report in self.reports(log)):
            raise Finding(f"no '{pattern}' was reported of a planted bug; see {self.log(log)}")

    def suite(self) -> str:
        """The tests that selection.py selects pass, and the tool reports nothing."""
        return self.clean("suite", *PYTEST, "--select", self.name)

    def clean(self, log: str, *arguments: str | Path, **options: str) -> str:
        """Run Python under the tool, which must report nothing; the last line of output."""
        status = self.watched(log, *arguments, **options)
        reports = self.reports(log)
        if reports:
            raise Finding(f"{len(reports)} reported, first:\n{reports[0]}")
        if status != 0:
            raise Finding(f"exit status {status}; see {self.log(log)}")
        return self.log(log).read_text().splitlines()[-1]

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def run(self, log: str, command: Command, variables: dict[str, str]) -> int:
        """Run a command with its output at the end of a log; the exit status."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, **variables}
        with open(self.log(log), "a") as file:
            return subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=file, stderr=file).returncode

    def variables(self) -> dict[str, str]:
        """For a Python that imports this build and takes each of its objects from malloc, to have its bounds known."""
        return {
            "PYTHONPATH": os.pathsep.join(map(str, [self.installed, HERE, HERE.parent])),
            "PYMINPACK_KERNELS": str(self.folder / "minpack" / "libminpack_kernels.so"),
            "PYTHONMALLOC": "malloc",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }


class Address(Part):
    """AddressSanitizer, UBSan and -fcheck=all, which end the process with their first report."""

    name = "address"
    options = [
        "-Dbuildtype=debugoptimized",
        "-Db_sanitize=address,undefined",
        "-Db_lundef=false",
        # Not null: the address of a matrix without rows may be passed on; reading there is caught in any case.
        "-Dfortran_args=-fcheck=all -fno-sanitize=null",
        "-Dc_link_args=-Wl,--no-as-needed -lgfortran -Wl,--as-needed",
    ]
    bugs = {
        "short_vector_in_Fortran": r"heap-buffer-overflow.*\.[fF]90:",
        "misaligned_vector_in_Fortran": r"load of misaligned address.*\.[fF]90:",
        "index_out_of_bounds_in_Fortran": "Index '3' of dimension 1 of array .* above upper bound of 2",
        "short_residuals_in_C": "heap-buffer-overflow.*src/_minpack/",
        "short_Jacobian_in_C": "heap-buffer-overflow.*src/_minpack/",
        "misaligned_state_in_C": r"misaligned address.*minpack/state\.c",
    }
    report = re.compile(r"ERROR: AddressSanitizer: |: runtime error: |^Fortran runtime (error|warning)", re.MULTILINE)
    leak = re.compile(r"^(?:Direct|Indirect) leak of .*?\n\n", re.MULTILINE | re.DOTALL)

    def steps(self) -> list[Callable[[], str]]:
        return [self.build, self.teeth, self.leaks, self.suite]

    def leaks(self) -> str:
        """A process that has gone every path many times ends with nothing of ours lost; a planted loss is reported."""
        options = {"detect_leaks": "1", "fast_unwind_on_malloc": "0", "exitcode": "0"}
        self.watched("lost_array", HERE / "teeth.py", "lost_array", **options)
        self.require("lost_array", "leak of .*src/_minpack/")
        return self.clean("leaks", HERE / "leaks.py", **options)

    def watched(self, log: str, *arguments: str | Path, **options: str) -> int:
        runtimes = " ".join(self.runtime(library) for library in ("libasan.so", "libubsan.so"))
        address = {
            "log_path": str(self.logs / f"{log}.report"),
            "detect_leaks": "0",
            # GCC before 12.4 misaligns vectors of 64 bytes on the stack that this brings (bug 110027).
            "detect_stack_use_after_return": "0",
            "allocator_may_return_null": "1",
            **options,
        }
        variables = {
            "LD_PRELOAD": runtimes,
            "ASAN_OPTIONS": ":".join(f"{name}={value}" for name, value in address.items()),
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        }
        return self.run(log, [sys.executable, *arguments], {**self.variables(), **variables})

    def runtime(self, library: str) -> str:
        command = ["gcc", f"-print-file-name={library}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def reports(self, log: str) -> list[str]:
        """Errors wherever they are; of the leaks, those that have a frame of ours."""
        texts = [file.read_text(errors="replace") for file in sorted(self.logs.glob(f"{log}.*"))]
        leaks = [leak for text in texts for leak in self.leak.findall(text) if OURS.search(leak)]
        return leaks + [text[found.start() :] for text in texts if (found := self.report.search(text))]


class Valgrind(Part):
    """memcheck, which sees what is read before it is written. Without optimisation, and with lines counted by gcov."""

    name = "valgrind"
    options = ["-Dbuildtype=debug", "-Db_coverage=true"]
    bugs = {
        "unset_vector_in_Fortran": r"uninitialised value.*\.[fF]90:",
        "unset_residuals_in_C": "uninitialised value.*src/_minpack/",
        "short_vector_in_Fortran": r"Invalid read of size 8.*\.[fF]90:",
        "short_Jacobian_in_C": "Invalid read of size 8.*src/_minpack/",
    }

    def steps(self) -> list[Callable[[], str]]:
        return [self.build, self.teeth, self.suite, self.coverage]

    def build(self) -> str:
        done = super().build()
        for counts in self.folder.rglob("*.gcda"):
            counts.unlink()
        return done

    def watched(self, log: str, *arguments: str | Path, **options: str) -> int:
        tool = ["valgrind", "--quiet", "--leak-check=no", "--error-limit=no", "--track-origins=yes"]
        tool += ["--keep-stacktraces=alloc", "--fullpath-after=", "--child-silent-after-fork=yes"]
        tool += [f"--log-file={self.report(log)}"]
        command: Command = [*tool, sys.executable, *arguments]
        return self.run(log, command, self.variables())

    def reports(self, log: str) -> list[str]:
        """The errors with a frame of ours where they happen, or where the memory comes from; and a death."""
        text = re.sub(r"^==\d+== ?", "", self.report(log).read_text(errors="replace"), flags=re.MULTILINE)
        return [error for error in text.split("\n\n") if OURS.search(error) or "Process terminating" in error]

    def report(self, log: str) -> Path:
        return self.logs / f"{log}.report"

    def coverage(self) -> str:
        """Nearly every line of ours has been executed; the others are listed in a log."""
        counts: dict[str, int] = {}
        for file in sorted(self.folder.rglob("*.gcno")):
            command = ["gcov", "--stdout", "--json-format", str(file)]
            gcov = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout
            for source in json.loads(gcov)["files"]:
                path = (self.folder / source["file"]).resolve()
                ours = any(path.is_relative_to(REPOSITORY / folder) for folder in ("minpack", "src"))
                if ours and path.name != "checks.F90":  # which this build does not run
                    for line in source["lines"]:
                        place = f"{path.relative_to(REPOSITORY)}:{line['line_number']}"
                        counts[place] = counts.get(place, 0) + line["count"]
        missed = [place for place, count in counts.items() if count == 0]
        self.log("coverage").write_text("".join(f"{place}\n" for place in missed))
        covered = 1 - len(missed) / len(counts)
        if covered < COVERED:
            raise Finding(f"only {covered:.1%} of {len(counts)} lines are executed; see {self.log('coverage')}")
        return f"{covered:.1%} of {len(counts)} lines executed"


def work(part: Part) -> bool:
    """Take the steps of a part, each with a line; whether nothing was found."""
    for step in part.steps():
        start = time.monotonic()
        try:
            verdict, text = "ok", step()
        except Finding as finding:
            verdict, text = "FAILED", str(finding)
        print(f"{part.name:8} {step.__name__:8} {time.monotonic() - start:5.0f} s  {verdict}: {text}", flush=True)
        if verdict != "ok":
            return False
    return True


def main() -> int:
    parts = {part.name: part for part in (Address, Valgrind)}
    parser = argparse.ArgumentParser(description="Run the tests under sanitizers and valgrind, both at the same time.")
    parser.add_argument("--only", choices=parts, help="one of the two")
    only = parser.parse_args().only

    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        clean = all(list(pool.map(work, [part() for name, part in parts.items() if only in (None, name)])))
    print(f"sanitize: {'all clean' if clean else 'NOT CLEAN'}, {time.monotonic() - start:.0f} s; logs in {BUILD}")
    return not clean


if __name__ == "__main__":
    sys.exit(main())
