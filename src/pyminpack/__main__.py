"""``python -m pyminpack``: run a program with SciPy patched; or what this installation is, and whether it is right."""

from __future__ import annotations

import os
import runpy
import sys

USAGE = """\
usage: python -m pyminpack SCRIPT [ARGUMENTS]
       python -m pyminpack -m MODULE [ARGUMENTS]
       python -m pyminpack --info       what this build is and what it runs on: for a bug report
       python -m pyminpack --selftest   whether it has MINPACK's bits: seconds; exit status 0 if so, 1 if not
       python -m pyminpack --help       this text

The first two run a Python program, unmodified, with SciPy's leastsq, curve_fit, root(method="lm") and
least_squares(method="lm") on pyminpack, and so what stands on them, in child processes, too. pyminpack.patch_scipy()
does it inside a program, for its own process.
"""


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for; return the exit status."""
    match arguments:
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
        case ["-m", module, *_]:
            _patch()
            sys.argv = arguments[1:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            return 0
        case [script, *_] if script and not script.startswith("-"):
            if not os.path.exists(script):
                print(f"python -m pyminpack: there is no file {script!r}", file=sys.stderr)
                return 2
            _patch()
            sys.argv = arguments
            if not sys.flags.safe_path:
                sys.path[0] = os.path.dirname(os.path.abspath(script))
            runpy.run_path(script, run_name="__main__")
            return 0
    print(USAGE, end="", file=sys.stderr)
    return 2


def _patch() -> None:
    """Patch this process and the children to come, and say so in one line."""
    import pyminpack

    try:
        pyminpack.patch_scipy()
    except (ImportError, NotImplementedError) as error:
        sys.exit(f"python -m pyminpack: {error}")
    children = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_children")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [children, os.environ.get("PYTHONPATH")]))
    solver = os.environ.get("PYMINPACK_SOLVER") or "builtin"
    print(
        f"pyminpack {pyminpack.__version__}: leastsq, curve_fit, root(method='lm') and least_squares(method='lm') of"
        f" SciPy {sys.modules['scipy'].__version__} run on solver '{solver}', here and in child processes of Python",
        file=sys.stderr, flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
