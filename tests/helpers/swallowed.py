"""Exceptions that ctypes swallows when a Python function called from C raises.

KeyboardInterrupt, a test's timeout and the like arrive between any two instructions, so also before a callback's `try`
and after it. ctypes passes the exception to sys.unraisablehook, C continues with a meaningless return value, and the
result looks like a differing bit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def swallowed_raised() -> Iterator[None]:
    """On exit, raise the first exception swallowed inside. For one thread at a time."""
    swallowed: list[Any] = []
    before = sys.unraisablehook
    sys.unraisablehook = swallowed.append  # not Python code: nothing can arrive in it
    try:
        yield
    finally:
        sys.unraisablehook = before
    for unraisable in swallowed:
        raise unraisable.exc_value or unraisable.exc_type
