"""`choose`: the instruction set for which our solver runs. All give the same bits."""

from pyminpack import _minpack

VARIABLE = "PYMINPACK_INSTRUCTION_SET"


def choose(name: str | None) -> None:
    """Run our solver for one instruction set.

    Parameters
    ----------
    name : str or None
        What the environment variable ``PYMINPACK_INSTRUCTION_SET`` holds: ``"x86-64-v4"``, ``"x86-64-v3"`` or
        ``"baseline"``. None or empty: the best that this build has and this machine runs.

    Raises
    ------
    ImportError
        If this build does not have it, or this machine does not run it.
    """
    runnable = _minpack.instruction_sets()
    if not name:
        name = runnable[0]
    if name not in runnable:
        known = ", ".join(map(repr, runnable))
        raise ImportError(
            f"{VARIABLE} is {name!r}; expected one of {known}, which this build has and this machine runs"
        )
    _minpack.use_instruction_set(name)
