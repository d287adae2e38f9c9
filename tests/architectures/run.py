"""The same bits on every architecture: cases.c, compiled for each of table.py and run by qemu, against this machine.

    python tests/architectures/run.py [--quick] [--calls N] [--fits N] [NAME ...]

On this machine the cases run through MINPACK's own Fortran, too, where it is in the build. Exits with 1 if a bit
differs. Builds go to build/architectures. With --missing, prints the packages of Debian that are needed, and no more.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from table import ARCHITECTURES, QUICK, Architecture

from helpers.build import REPOSITORY, build_in

WORK = REPOSITORY / "build" / "architectures"
Command = list[str | Path]


def compiled(cc: str, flags: tuple[str, ...], folder: Path, *options: str) -> Path:
    """The program of the cases, linked with the solver as Meson builds it with these options."""
    library = build_in(folder, *options)
    program = folder / "cases"
    source = Path(__file__).with_name("cases.c")
    command: Command = [cc, "-std=c11", "-O2", "-ffp-contract=off", *flags, "-I", REPOSITORY / "minpack", source,
                        "-o", program, library, f"-Wl,-rpath,{library.parent}", "-lm"]  # fmt: skip
    subprocess.run(command, check=True)
    return program


def lines(command: Command, solver: str, what: str, first: int, count: int, *values: str) -> list[str]:
    """What the program prints."""
    command = [*command, solver, what, str(first), str(count), *values]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


class Reference:
    """The cases on this machine by our solver."""

    def __init__(self, command: Command, counts: dict[str, int]) -> None:
        self.command, self.counts = command, counts
        self.cases = {what: lines(command, "builtin", what, 0, count) for what, count in counts.items()}

    def compared(self, command: Command, solver: str = "builtin", without: str = "-") -> tuple[bool, str]:
        """Whether a program's cases all are the same, and how many that were, or the first that is not."""
        counted, first = [], ""
        differ = 0
        for what, count in self.counts.items():
            wanted = [line for line in self.cases[what] if without not in line]
            found = lines(command, solver, what, 0, count)
            if len(found) != len(wanted):
                return False, f"{len(found)} {what} in place of {len(wanted)}"
            pairs = [(here, there) for here, there in zip(wanted, found, strict=True) if here != there]
            counted.append(f"{len(wanted)} {what}")
            differ += len(pairs)
            if pairs and not first:
                first = f"; the first: {self.where(command, solver, what, pairs[0][0])}"
        return differ == 0, f"{', '.join(counted)}: {differ} differ{first}"

    def where(self, command: Command, solver: str, what: str, line: str) -> str:
        """A case that differs, and the first of its values that does."""
        case = line.rpartition(":")[0]
        number = int(case.split()[0])
        here, there = (lines(run, name, what, number, 1, "values")
                       for run, name in ((self.command, "builtin"), (command, solver)))  # fmt: skip
        values = next(((a, b) for a, b in zip(here, there, strict=False) if a != b), ("nothing", "nothing"))
        return f"{what} {case}, {values[0]} here and {values[1]} there"


def verdict(architecture: Architecture, reference: Reference) -> tuple[bool, str]:
    folder = WORK / re.sub(r"\W+", "-", architecture.name)
    cross_file = folder.with_suffix(".ini")
    cross_file.write_text(architecture.cross_file())
    try:
        program = compiled(architecture.cc, architecture.flags, folder, f"--cross-file={cross_file}",
                           "-Doriginal_minpack=none")  # fmt: skip
    except RuntimeError as error:
        message = str(error).partition("ERROR: ")[2].partition("\n")[0]
        if architecture.refused is None or architecture.refused not in message:
            return False, str(error)
        return True, f"refused: {message}"
    if architecture.refused is not None:
        return False, "it is not refused"
    return reference.compared([*architecture.emulator, program])


def report(name: str, judge: Callable[[], tuple[bool, str]]) -> bool:
    start = time.monotonic()
    try:
        good, text = judge()
    except subprocess.CalledProcessError as error:
        good, text = False, f"{error}\n{error.stderr or ''}"
    print(f"{time.monotonic() - start:4.0f} s  {'ok' if good else 'FAILED':6} {name}: {text}", flush=True)
    return good


def main() -> int:
    names = [architecture.name for architecture in ARCHITECTURES]
    parser = argparse.ArgumentParser(description="The same bits on every architecture.")
    parser.add_argument("--quick", action="store_true", help=f"{' and '.join(QUICK)}, fewer cases")
    parser.add_argument("--calls", type=int, help="how many calls of single routines (100000; quick: 5000)")
    parser.add_argument("--fits", type=int, help="how many whole fits (1000; quick: 500)")
    parser.add_argument("--missing", action="store_true", help="print Debian's packages that are needed")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(names)}")
    options = parser.parse_args()
    chosen = options.names or (QUICK if options.quick else names)
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"no such architecture: {', '.join(unknown)} (there are {', '.join(names)})")
    architectures = [architecture for architecture in ARCHITECTURES if architecture.name in chosen]
    if options.missing:
        packages = [package for architecture in architectures for package in architecture.missing_packages()]
        print("".join(f" {package}" for package in dict.fromkeys(packages)), end="")
        return 0

    calls, fits = (5000, 500) if options.quick else (100000, 1000)
    native = compiled("gcc", (), WORK / "native")
    reference = Reference([native], {"calls": options.calls or calls, "fits": options.fits or fits})
    good = True
    if subprocess.run([native, "original", "fits", "0", "0"], stderr=subprocess.DEVNULL).returncode == 0:
        good = report("MINPACK's own Fortran", lambda: reference.compared([native], "original", without=" covar "))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda one: report(one.name, lambda: verdict(one, reference)), architectures)
        return not (all(list(verdicts)) and good)


if __name__ == "__main__":
    sys.exit(main())
