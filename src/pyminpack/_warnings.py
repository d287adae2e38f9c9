"""`warn`: warn at the line that called pyminpack, from any depth. `is_ignored`: whether its text is not needed."""

from __future__ import annotations

import sys
import warnings
from _warnings import warn as _pythons_warn


class OptimizeWarning(UserWarning):
    """Category of `curve_fit`'s warnings if SciPy's OptimizeWarning is not loaded."""


def optimize_warning() -> type[Warning]:
    """SciPy's OptimizeWarning if scipy.optimize is loaded, for programs that filter or catch it; else ours."""
    category: type[Warning] = getattr(sys.modules.get("scipy.optimize"), "OptimizeWarning", OptimizeWarning)
    return category


def warn(text: str, category: type[Warning], also: str | None = None) -> None:
    """Warn at the line of the first caller outside this package and the package `also`."""
    frame, stacklevel, inside = sys._getframe(1), 2, (__package__, also)
    while frame.f_back is not None and str(frame.f_globals.get("__package__")).partition(".")[0] in inside:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(text, category, stacklevel=stacklevel)


def is_ignored(category: type[Warning]) -> bool:
    """Whether the filters ignore a warning of this category, whatever its text and line.

    True only if certain: each filter that may match first ignores it, and the last of them matches any text and line.
    (NumPy's import puts filters for its own texts in front.) It is not certain if filters belong to a context (CPython
    3.14, by an option or without the GIL) or if `warnings.warn` has been replaced.
    """
    if warnings.warn is not _pythons_warn or getattr(sys.flags, "context_aware_warnings", False):
        return False
    for action, text, of, module, line in warnings.filters:
        if issubclass(category, of):
            if action != "ignore":
                return False
            if text is None and module is None and line == 0:
                return True
    return False
