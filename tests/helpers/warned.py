"""A fit and the warnings that the caller of leastsq sees."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from pyminpack import leastsq


def warned(*arguments: Any, **options: Any) -> tuple[Any, list[str]]:
    """What leastsq returns, and the texts of all warnings, which must point to the calling line."""
    frame = inspect.currentframe()
    assert frame is not None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = frame.f_lineno + 1
        result = leastsq(*arguments, **options)
    for warning in caught:
        assert (warning.filename, warning.lineno, warning.category) == (__file__, line, RuntimeWarning)
    return result, [str(warning.message) for warning in caught]
