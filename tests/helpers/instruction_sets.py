"""This machine's instruction sets, for tests that run on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.c_face import c_face
from pyminpack import _minpack

# The default comes first; the others are marked slow, for developers to skip.
BEST, *OTHERS = _minpack.instruction_sets()
INSTRUCTION_SETS = [pytest.param(BEST), *[pytest.param(name, marks=pytest.mark.slow) for name in OTHERS]]


@contextmanager
def running_on(name: str) -> Iterator[None]:
    """Make the solver use this instruction set, in the extension and in the tests' library."""
    before = _minpack.instruction_set_in_use()
    _minpack.use_instruction_set(name)
    c_face.use_instruction_set(name)
    yield
    _minpack.use_instruction_set(before)
    c_face.use_instruction_set(before)
