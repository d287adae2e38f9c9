"""`choose`: which of the solvers in this build runs."""

from __future__ import annotations

import os

from pyminpack import _minpack

VARIABLE = "PYMINPACK_SOLVER"
NAMES = ("builtin", "original")


def choose(solver: str | None, caller: str, *, missing: str | None = None) -> str:
    """The name of the solver to run.

    Parameters
    ----------
    solver : {"builtin", "original"} or None
        The one wanted. None: what the environment variable ``PYMINPACK_SOLVER`` holds now, and ``"builtin"`` where it
        is not set or empty.
    caller : str
        The function whose keyword it is, for errors.
    missing : str, optional
        What the original MINPACK does not have, where the caller needs it, as the subject of a sentence.

    Returns
    -------
    str
        One of ``_minpack.solvers()``.

    Raises
    ------
    TypeError, ValueError
        If it is not the name of a solver.
    ImportError
        If it is not in this build.
    NotImplementedError
        If it is the original, and something is missing there.
    """
    wanted = "solver"
    if solver is None:
        solver = os.environ.get(VARIABLE) or NAMES[0]
        wanted = f"the environment variable {VARIABLE}"
    if solver not in NAMES:
        if not isinstance(solver, str):
            raise TypeError(f"{caller}: solver must be a str or None, not {type(solver).__name__}")
        raise ValueError(f"{caller}: {wanted} is {solver!r}; expected 'builtin' or 'original'")
    if missing is not None and solver != NAMES[0]:
        raise NotImplementedError(f"{caller}: {wanted} is {solver!r}, and {missing} is not in the original MINPACK")
    if solver not in _minpack.solvers():
        raise ImportError(
            f"{caller}: {wanted} is {solver!r}, and this build of pyminpack is without the original MINPACK. Build it"
            " where Debian's minpack-dev is installed, or with -Csetup-args=-Doriginal_minpack=PATH"
        )
    return solver
