"""`choose`: the instruction set for which the solver's inner loops run. All give the same bits."""

from pyminpack import _minpack
from pyminpack._config import CONFIG

VARIABLE = "PYMINPACK_INSTRUCTION_SET"


def choose(name: str | None) -> None:
    """Run the solver's inner loops for one instruction set.

    Parameters
    ----------
    name : str or None
        What the environment variable ``PYMINPACK_INSTRUCTION_SET`` holds: ``"x86-64-v4"``, ``"x86-64-v3"`` or
        ``"baseline"``. None or empty: the best that this build has and this machine runs.

    Raises
    ------
    ImportError
        If this build does not have it (one with the original MINPACK inside has the baseline alone), or this machine
        does not run it.
    """
    runnable = _minpack.instruction_sets()
    if not name:
        name = runnable[0]
    if name not in runnable:
        message = f"{VARIABLE} is {name!r}; expected one of {', '.join(map(repr, runnable))}"
        if CONFIG["solver"] == "original":
            raise ImportError(f"{message}: the original MINPACK is compiled for no other")
        raise ImportError(f"{message}, which this build has and this machine runs")
    _minpack.use_instruction_set(name)
