"""`show_config`: what is inside this build."""

from copy import deepcopy
from typing import Any

from pyminpack._config import CONFIG
from pyminpack._minpack import instruction_set_in_use


def show_config() -> dict[str, Any]:
    """Print how this build of pyminpack was made, and return it.

    Returns
    -------
    dict
        ``version`` : str
            Of pyminpack.
        ``solver`` : str
            ``"builtin"``, or ``"original"`` for a build with ``-Doriginal_minpack``.
        ``original_sha256`` : str or None
            Of the original MINPACK's source (unpacked; a folder's files one after the other); None if it is not inside.
        ``compilers``, ``flags`` : dict of str
            For ``"c"`` and ``"fortran"``; and the flags that the ``"inner loops"`` have besides, by instruction set.
        ``instruction_sets`` : list of str
            For which the solver's inner loops are compiled.
        ``instruction_set`` : str
            The one in use: the best that this machine runs, or that of the environment variable
            ``PYMINPACK_INSTRUCTION_SET`` when pyminpack was imported.

    Examples
    --------
    >>> from pyminpack import show_config
    >>> config = show_config()  # doctest: +ELLIPSIS
    version: ...
    solver: ...
    >>> config["solver"] in ("builtin", "original")
    True
    """
    config = deepcopy(CONFIG) | {"instruction_set": instruction_set_in_use()}
    for key, value in config.items():
        if isinstance(value, dict):
            value = "; ".join(f"{name}: {text}" for name, text in value.items())
        elif isinstance(value, list):
            value = ", ".join(value)
        print(f"{key}: {value}")
    return config
