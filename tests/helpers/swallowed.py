"""What ctypes swallows: an exception that leaves a Python function that C has called.

KeyboardInterrupt, a test's timeout and the like arrive between any two instructions, so before a call-back's `try` and
behind it, too. ctypes hands such an exception to sys.unraisablehook, C goes on with an answer that is none, and what
comes of it looks like a differing bit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def swallowed_raised() -> Iterator[None]:
    """At the end, raise the first exception that was swallowed inside. For one thread at a time."""
    swallowed: list[Any] = []
    before = sys.unraisablehook
    sys.unraisablehook = swallowed.append  # no Python: nothing can arrive in it
    try:
        yield
    finally:
        sys.unraisablehook = before
    for unraisable in swallowed:
        raise unraisable.exc_value or unraisable.exc_type
