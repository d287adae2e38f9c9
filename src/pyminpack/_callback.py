"""`by_keyword`: SciPy's two ways to call a callback, as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def by_keyword(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A callback to be called with ``intermediate_result=``.

    SciPy's convention: one whose only parameter has this name gets it; any other gets x, a copy of its own.
    """
    if not callable(callback):
        raise TypeError(f"leastsq: callback must be callable, not {type(callback).__name__}")
    import inspect  # late, for the import of this package to be quick

    try:
        names = [*inspect.signature(callback).parameters]
    except (TypeError, ValueError):  # some builtins have none to show
        names = []
    if names == ["intermediate_result"]:
        return callback
    return lambda intermediate_result: callback(intermediate_result.x)
