"""Why Meson finds no Fortran compiler: one sentence, or nothing if Meson itself says so when it requires the compiler.

usage: why_no_fortran.py MESON_LOG

The output of a compiler that failed on a first program is only in Meson's log, which pip deletes.
"""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

NAMES = ("gfortran", "flang-new", "flang", "nvfortran", "pgfortran", "ifort", "ifx", "g95")  # that Meson tries
NEEDED = "pyminpack needs a Fortran compiler on the PATH, such as gfortran (Debian: apt-get install gfortran)."
SANITY_CHECK = re.compile(
    r"^Sanity check compiler command line: ([^\n]*)\n.*?^Sanity check compile stderr:\n(.*?)^-----",
    re.DOTALL | re.MULTILINE,
)


def reason(log: str) -> str:
    chosen = shlex.split(os.environ.get("FC", ""))
    if not chosen and not any(map(shutil.which, NAMES)):
        return NEEDED
    if chosen and shutil.which(chosen[0]) is None:
        return f"FC is {shlex.join(chosen)!r}, which is not there. {NEEDED}"
    checks = SANITY_CHECK.findall(log)
    if not checks or not checks[-1][1].strip():
        return ""
    command, said = checks[-1]
    return f"The Fortran compiler, as {command!r}, does not compile Meson's first program:\n{said.strip()}"


if __name__ == "__main__":
    print(reason(Path(sys.argv[1]).read_text(errors="replace")))
