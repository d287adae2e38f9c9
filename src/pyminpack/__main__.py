"""``python -m pyminpack``: run a program with SciPy patched, describe this installation, or test it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from importlib import metadata
from typing import NoReturn

from pyminpack import __version__, _patch

USAGE = """\
usage: python -m pyminpack PROGRAM [ARGUMENTS]
       python -m pyminpack -m MODULE [ARGUMENTS]
       python -m pyminpack -c CODE [ARGUMENTS]
       python -m pyminpack - [ARGUMENTS]
       python -m pyminpack --info       show how pyminpack was built and what it runs on, for a bug report
       python -m pyminpack --selftest   check for MINPACK's bits, in seconds; exit status 0 if they are there, 1 if not
       python -m pyminpack --help       show this text

The first four run an unmodified program as Python itself does, with SciPy's leastsq, curve_fit, root(method="lm") and
least_squares(method="lm"), and everything built on them, on pyminpack, also in child processes. Python's own options go
in front: python -W error -m pyminpack PROGRAM. The command pyminpack does the same without the current folder on its
path. pyminpack.patch_scipy() does it inside a program, for its own process.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's; return the exit status."""
    match sys.argv[1:] if arguments is None else arguments:
        case ["-h" | "--help"]:
            print(USAGE, end="")
            return 0
        case ["--info"]:
            from pyminpack import show_config

            show_config()
            return 0
        case ["--selftest"]:
            from pyminpack import _selftest

            return _selftest.run()
        case [first, *_] as program if first == "-" or first[:2] in ("-m", "-c") or not first.startswith("-"):
            return _run(program)
    print(USAGE, end="", file=sys.stderr)
    return 2


def _run(program: list[str]) -> int:
    """Replace this process by Python, with its own options, running a program in which importing SciPy patches it."""
    options = _options(program)
    if options is None:
        _fail(2, "cannot run inside another tool, since it restarts Python; use python -m pyminpack -m TOOL ...")
    for letter, given in ("S", sys.flags.no_site), ("I", sys.flags.isolated), ("E", sys.flags.ignore_environment):
        if given:
            _fail(2, f"Python's option -{letter} is not supported: SciPy is patched by PYTHONPATH and sitecustomize")
    try:
        version = metadata.version("scipy")  # not by importing SciPy, which is left to the program
        _patch.check_version(version)
    except metadata.PackageNotFoundError:
        _fail(1, f"SciPy is not installed for {sys.executable}")
    except NotImplementedError as error:
        _fail(1, str(error))
    children = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_children")
    inherited = os.environ.get("PYTHONPATH")
    others = [folder for folder in inherited.split(os.pathsep) if folder != children] if inherited else []
    os.environ["PYTHONPATH"] = os.pathsep.join([children, *others])
    solver = os.environ.get("PYMINPACK_SOLVER") or "builtin"
    _print(
        f"pyminpack {__version__}: leastsq, curve_fit, root(method='lm') and least_squares(method='lm') of"
        f" SciPy {version} run on solver '{solver}', here and in child processes of Python"
    )
    command = [sys.executable, *options, *program]  # full path, by which Python finds its environment
    if os.name == "nt":
        return _in_child(command)
    try:
        os.execv(sys.executable, command)
    except OSError as error:
        _fail(1, f"cannot start sys.executable, {sys.executable!r}: {error.strerror}")


def _options(program: list[str]) -> list[str] | None:
    """Python's options before ``-m pyminpack``, or our script, and the program; None if it was started otherwise."""
    words = iter(sys.orig_argv[1 : -len(program)] if sys.orig_argv[-len(program) :] == program else [])
    options = []
    for word in words:
        with_value = re.fullmatch("-([^-cmWX]*)([cmWX])(.*)", word, re.DOTALL)
        if with_value is not None:
            flags, letter, glued = with_value.groups()
            value = [] if glued else [next(words, "")]
            if letter in "WX":
                options += [word, *value]
                continue
            if letter == "c" or "".join([glued, *value]) != "pyminpack" or [*words]:
                return None
            return [*options, f"-{flags}"] if flags else options
        if not word.startswith("-") or word == "-":
            return None if [*words] else options
        options += [word, next(words, "")] if word == "--check-hash-based-pycs" else [word]
    return None


def _fail(status: int, text: str) -> NoReturn:
    _print(f"python -m pyminpack: {text}")
    sys.exit(status)


def _print(line: str) -> None:
    """Print to stderr if possible; the program runs anyway."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr or io.StringIO(), flush=True)


def _in_child(command: list[str]) -> int:
    """Exit status of a child, which handles Ctrl-C: for Windows, where exec starts a new process (never run there)."""
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = subprocess.call(command)
    return status - 2**32 if status >= 2**31 else status  # such as 0xC0000005: sys.exit takes a C long


if __name__ == "__main__":
    sys.exit(main())
