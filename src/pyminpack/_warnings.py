"""`warn`: a warning at the line that called pyminpack, however deep in pyminpack it arises."""

from __future__ import annotations

import sys
import warnings


class OptimizeWarning(UserWarning):
    """What `curve_fit` warns of where SciPy's OptimizeWarning is not loaded."""


def optimize_warning() -> type[Warning]:
    """SciPy's OptimizeWarning if scipy.optimize is loaded, for programs that filter or catch it; else ours."""
    category: type[Warning] = getattr(sys.modules.get("scipy.optimize"), "OptimizeWarning", OptimizeWarning)
    return category


def warn(text: str, category: type[Warning], also: str | None = None) -> None:
    """Warn at the line of the first caller outside of this package, and of the package `also`."""
    frame, stacklevel, inside = sys._getframe(1), 2, (__package__, also)
    while frame.f_back is not None and str(frame.f_globals.get("__package__")).partition(".")[0] in inside:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(text, category, stacklevel=stacklevel)
