"""`choose`: select the instruction set of our solver. All give the same bits."""

from pyminpack import _minpack

VARIABLE = "PYMINPACK_INSTRUCTION_SET"


def choose(name: str | None) -> None:
    """Select the instruction set of our solver.

    Parameters
    ----------
    name : str or None
        What the environment variable ``PYMINPACK_INSTRUCTION_SET`` holds: ``"x86-64-v4"``, ``"x86-64-v3"`` or
        ``"baseline"``. None or empty: the best that this build has and this machine supports.

    Raises
    ------
    ImportError
        If this build does not have it, or this machine does not support it.
    """
    runnable = _minpack.instruction_sets()
    if not name:
        name = runnable[0]
    if name not in runnable:
        known = ", ".join(map(repr, runnable))
        raise ImportError(
            f"{VARIABLE} is {name!r}; expected one of {known}, which this build has and this machine supports"
        )
    _minpack.use_instruction_set(name)
