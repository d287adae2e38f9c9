"""MINPACK's own test drivers print the same on our solver as on libminpack1.

The drivers and their data come with Debian's minpack-dev; they are compiled here twice, against each library.
"""

import gzip
import os
import subprocess
from pathlib import Path

import pytest

from helpers.build import REPOSITORY, build
from pyminpack import _minpack

EXAMPLES = Path("/usr/share/doc/minpack-dev/examples")
SHIM = Path(__file__).with_name("drivers_shim.c")
MINPACK_H = REPOSITORY / "minpack"

# driver, data, a line that its summary must hold
DRIVERS = {
    "lmder": ("file17", "file22", "SUMMARY OF  53 CALLS TO LMDER1"),
    "lmdif": ("file19", "file22", "SUMMARY OF  53 CALLS TO LMDIF1"),
    "chkder": ("file20", "file23", "SUMMARY OF  14 TESTS OF CHKDER"),
}


def run(*command, stdin=None):
    """The standard output of a command that succeeds."""
    environment = os.environ | {"PYMINPACK_INSTRUCTION_SET": _minpack.instruction_set_in_use()}
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """For each driver its program with our solver, and that with libminpack1."""
    folder = tmp_path_factory.mktemp("drivers")
    shim, library = folder / "shim.o", build()
    run("gcc", "-c", f"-I{MINPACK_H}", SHIM, "-o", shim)
    linked = {"ours": [shim, library, f"-Wl,-rpath,{library.parent}"], "theirs": ["-l:libminpack.so.1"]}

    def program(driver, whose):
        source, path = folder / f"{driver}.f", folder / f"{driver}-{whose}"
        source.write_bytes(gzip.decompress((EXAMPLES / f"{driver}.gz").read_bytes()))
        run("gfortran", "-std=legacy", "-w", "-O1", "-ffp-contract=off", source, *linked[whose], "-o", path)
        return path

    return {driver: [program(driver, whose) for whose in linked] for driver, _, _ in DRIVERS.values()}


@pytest.mark.slow
@pytest.mark.usefixtures("every_instruction_set")
@pytest.mark.parametrize(("driver", "data", "summary"), DRIVERS.values(), ids=DRIVERS)
def test_driver_prints_the_same_with_our_solver(programs, driver, data, summary):
    printed = []
    for program in programs[driver]:
        with open(EXAMPLES / data) as stdin:
            printed.append(run(program, stdin=stdin))
    ours, theirs = printed
    assert summary in theirs
    assert ours == theirs
