"""`show_config`: how this build was made, and what it runs on."""

from typing import Any, Literal

from pyminpack import _minpack
from pyminpack._config import CONFIG


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any]:
    """Print and return how pyminpack was built and what it runs on.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default "stdout"
        ``"dicts"``: only return it. Name and values are those of `numpy.show_config`.

    Returns
    -------
    dict
        ``version`` : str
            Of pyminpack.
        ``solvers`` : list of str
            ``"builtin"``, and ``"original"`` if MINPACK's own Fortran is in the build.
        ``original_sha256`` : str or None
            Of the original MINPACK's source (unpacked; a folder's files concatenated); None if it is not in the build.
        ``compilers``, ``flags`` : dict of str
            For ``"c"`` and ``"fortran"``; in ``flags`` also ``"instruction sets"``, the additional flags for each.
        ``instruction_sets`` : list of str
            Those for which the builtin solver is compiled.
        ``instruction_set`` : str
            The one in use: the best that this machine supports, or that of the environment variable
            ``PYMINPACK_INSTRUCTION_SET`` when pyminpack was imported.
        ``python``, ``numpy``, ``platform`` : str
            Versions, and the operating system.
        ``processor`` : dict
            ``"name"``, and ``"features"`` as NumPy detects them (empty before NumPy 1.25).

    Raises
    ------
    ValueError
        If `mode` is neither of the two.

    Examples
    --------
    >>> from pyminpack import show_config
    >>> config = show_config(mode="dicts")
    >>> config["solvers"][0]
    'builtin'
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode is {mode!r}; expected 'stdout' or 'dicts'")
    from copy import deepcopy  # here, to keep our import fast

    config = deepcopy(CONFIG)
    config |= {"solvers": list(_minpack.solvers()), "instruction_set": _minpack.instruction_set_in_use()}
    config |= _surroundings()
    if mode == "stdout":
        for key, value in config.items():
            print(f"{key}: {_written(value)}")
    return config


def _surroundings() -> dict[str, Any]:
    """What pyminpack runs on."""
    import platform

    import numpy as np

    try:
        features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    except (TypeError, KeyError):  # before NumPy 1.25
        features = []
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": {"name": _processor() or platform.processor() or platform.machine(), "features": features},
    }


def _processor() -> str:
    """The processor's name on Linux; empty if unknown."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return ""


def _written(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_written(part)}" for name, part in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
