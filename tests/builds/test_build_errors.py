"""A build that cannot be ends with a sentence that says why; `./dev builds` makes the others."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
NEEDED = "pyminpack needs a Fortran compiler on the PATH, such as gfortran (Debian: apt-get install gfortran)."


def setup(folder, *options, **variables):
    """The end of what the build's Meson prints as its setup fails: all of it after the path of its log."""
    flags = dict.fromkeys(("CFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS", "FC"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path} | flags | variables
    meson = REPOSITORY / "tools" / "meson_errors_last.py"
    command = [sys.executable, meson, "setup", folder / "build", REPOSITORY, *options]
    process = subprocess.run(command, env={name: text for name, text in environment.items() if text is not None},
                             text=True, capture_output=True)  # fmt: skip
    assert process.returncode != 0
    assert process.stderr == ""
    return process.stdout.partition("\nA full log can be found at ")[2].partition("\n")[2].strip()


def test_without_a_Fortran_compiler_it_says_what_to_install(tmp_path):
    for tool in ("cc", "ld", "as", "ar"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    path = os.pathsep.join([str(Path(sys.executable).parent), str(tmp_path)])
    assert setup(tmp_path, PATH=path).endswith(f"ERROR: Problem encountered: {NEEDED}")


def test_a_chosen_compiler_that_is_not_there_is_named(tmp_path):
    assert setup(tmp_path, FC="nofortran").endswith(f"FC is 'nofortran', which is not there. {NEEDED}")


@pytest.mark.parametrize(("options", "variables", "reason"), [
    ([], {"FFLAGS": "-funsafe-mth"}, "gfortran: error: unrecognized command-line option '-funsafe-mth'"),
    (["-Dfortran_args=-std=f2088"], {}, "gfortran: error: unrecognized command-line option '-std=f2088'"),
    (["-Dfortran_args=-lnosuch"], {}, "does not compile Meson's first program:\n/usr/bin/ld: cannot find -lnosuch"),
    ([], {"FC": "true"}, "ERROR: Unknown compiler(s): [['true']]"),
])  # fmt: skip
def test_the_words_about_a_compiler_that_does_not_work_are_shown(tmp_path, options, variables, reason):
    error = setup(tmp_path, *options, LC_ALL="C", **variables)
    assert reason in error
    assert NEEDED not in error


@pytest.mark.parametrize(("options", "variables", "flag"), [
    ([], {"FFLAGS": "-O2 -freal-8-real-4"}, "-freal-8-real-4"),
    (["-Dfortran_args=-finteger-4-integer-8"], {}, "-finteger-4-integer-8"),
    ([], {"LDFLAGS": "-mpc64"}, "-mpc64"),
    ([], {"CC": "gcc -mpc32"}, "-mpc32"),
])  # fmt: skip
def test_a_flag_that_cannot_be_taken_back_is_refused_by_name(tmp_path, options, variables, flag):
    error = setup(tmp_path, *options, **variables)
    assert f"ERROR: Problem encountered: pyminpack cannot be built with {flag}, which changes " in error


def test_a_relative_path_of_the_original_begins_in_the_folder_of_the_project(tmp_path):
    assert f"original_minpack: {REPOSITORY / 'nowhere'} does not exist; " in setup(
        tmp_path, "-Doriginal_minpack=nowhere"
    )


@pytest.mark.parametrize("data", [b"hello", gzip.compress(b"hello" * 100)[:-9]], ids=["no gzip", "truncated"])
def test_a_broken_gz_of_the_original_is_named(tmp_path, data):
    path = tmp_path / "minpack.f.gz"
    path.write_bytes(data)
    assert f"original_minpack: {path} is not a complete .gz file: " in setup(tmp_path, f"-Doriginal_minpack={path}")


def test_pip_shows_nothing_of_the_build_after_what_is_wrong_with_the_path_of_the_original(tmp_path):
    command = [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--target", tmp_path / "to",
               f"-Csetup-args=-Doriginal_minpack={tmp_path}/nowhere", REPOSITORY]  # fmt: skip
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.run(command, env=os.environ | {"PATH": path}, text=True, capture_output=True)
    lines = (process.stdout + process.stderr).splitlines()
    (end,) = (i for i, line in enumerate(lines) if line.strip() == "[end of output]")
    assert process.returncode == 1
    assert f"original_minpack: {tmp_path}/nowhere does not exist; expected " in lines[end - 1]
