"""Select the routines of the original MINPACK that the build needs.

usage: select_routines.py PATH [OUTPUT]

PATH is the double-precision source: one .f file, a .gz of it, or a folder of .f files. Without OUTPUT, print the
source's sha256 (a folder's files concatenated), or fail with the names of the missing routines. With OUTPUT, write the
selection there. MINPACK's own DPMPAR is left out: as distributed it may hold the constants of another machine.

Fortran leaves DMAX1 and DMIN1 of a NaN to the compiler, and gfortran's versions differ. Each routine is given a
declaration that makes them the functions of original.c, which ignore a NaN as Debian's libminpack1 does.
"""

import gzip
import hashlib
import re
import sys
import zlib
from pathlib import Path

ROUTINES = ("lmdif", "lmder", "lmpar", "qrfac", "qrsolv", "enorm", "fdjac2", "chkder")

# Fixed form: a comment has c, C, * or ! in column 1, a statement starts in column 7.
_HEAD = re.compile(r"^ {6}\s*(?:double\s+precision\s+function|subroutine)\s+(\w+)\s*\(", re.IGNORECASE)
_CONTINUATION = re.compile(r"^ {5}[^ 0]")
_END = re.compile(r"^ {6}\s*end\s*$", re.IGNORECASE)


def source(path: Path) -> bytes:
    """The Fortran at a path."""
    if not path.exists():
        raise SystemExit(f"original_minpack: {path} does not exist; expected a .f file, a .gz of it or a folder")
    if path.is_dir():
        return b"".join(file.read_bytes() for file in sorted(path.glob("*.f")))
    data = path.read_bytes()
    if path.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise SystemExit(f"original_minpack: {path} is not a complete .gz file: {error}") from error


def units(text: str) -> dict[str, str]:
    """Program units of a fixed-form text by name, in lower case."""
    found: dict[str, str] = {}
    name, lines = "", list[str]()
    for line in text.splitlines():
        head = _HEAD.match(line[:72])
        if head and not name:
            name, lines = head[1].lower(), []
        if name:
            lines.append(line.rstrip())
        if name and _END.match(line[:72]):
            found[name] = "\n".join(lines) + "\n"
            name = ""
    return found


def select(text: str, path: Path) -> str:
    """The needed routines of a text; SystemExit names any that are missing."""
    found = units(text)
    missing = [name for name in ROUTINES if name not in found]
    if missing:
        raise SystemExit(f"original_minpack: {path} lacks the routines {', '.join(missing)}")
    return "".join(settle_maxima(found[name]) for name in ROUTINES)


def settle_maxima(unit: str) -> str:
    """Declare DMAX1 and DMIN1 as external functions, right after the head of a program unit."""
    lines = unit.splitlines(keepends=True)
    end_of_head = next(i for i in range(1, len(lines)) if not _CONTINUATION.match(lines[i]))
    declaration = "      DOUBLE PRECISION DMAX1, DMIN1\n      EXTERNAL DMAX1, DMIN1\n"
    return "".join([*lines[:end_of_head], declaration, *lines[end_of_head:]])


def main() -> None:
    """Check the source, or write the selection."""
    path = Path(sys.argv[1])
    data = source(path)
    text = select(data.decode("latin-1"), path)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text, "latin-1")
    else:
        print(hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
