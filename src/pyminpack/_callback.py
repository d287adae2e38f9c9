"""`by_keyword`: SciPy's two callback conventions as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def by_keyword(callback: Callable[..., Any] | None, caller: str) -> Callable[..., Any] | None:
    """Wrap a callback so that it takes ``intermediate_result=``; None stays None.

    As in SciPy, a callback whose only parameter has this name gets it; any other gets a copy of x.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"{caller}: callback must be callable, not {type(callback).__name__}")
    import inspect  # here, to keep our import fast

    try:
        names = [*inspect.signature(callback).parameters]
    except (TypeError, ValueError):  # some builtins have no signature
        names = []
    if names == ["intermediate_result"]:
        return callback
    return lambda intermediate_result: callback(intermediate_result.x)
