"""Startup module of ``python -m pyminpack``, which puts this folder in front of PYTHONPATH.

Python imports it before the program. It has SciPy patched on import, then imports the sitecustomize that it shadows, if
there is one. It also runs in child processes, under any CPython: hence the old syntax.
"""

import os
import sys


def _start():  # type: ignore[no-untyped-def]  # CPython 2.7 runs this file, which has no annotations
    here = os.path.dirname(__file__)
    while here in sys.path:
        sys.path.remove(here)

    if sys.version_info >= (3, 6):  # noqa: UP036  # a child may be older than what we require
        file = os.path.join(os.path.dirname(here), "_import_hook.py")
        hook = {"__name__": "pyminpack._import_hook"}
        with open(file) as source:
            exec(compile(source.read(), file, "exec"), hook)  # not an import: a program may have such modules itself
        hook["install"]()  # type: ignore[operator]  # a function, which exec has put beside the string
        if "scipy.optimize" in sys.modules:  # imported by a .pth file
            hook["patch"]()  # type: ignore[operator]  # likewise

    this = sys.modules.pop(__name__)  # noqa: F841  # kept, since CPython 2.7 clears an unreferenced module
    # If there is none, this raises ImportError, as it would without this module.
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401  # the user's, for what it does


if __name__ == "sitecustomize":
    _start()  # type: ignore[no-untyped-call]  # see its definition
