"""Bitwise equality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAGNITUDE = 2**63 - 1


def assert_same_outputs(actual: Mapping[str, ArrayLike], expected: Any) -> None:
    """Every output in `actual` is bit-identical to the attribute of `expected` with its name."""
    __tracebackhide__ = True
    for name, value in actual.items():
        assert_same_bits(value, getattr(expected, name), name)


def assert_same_bits(actual: ArrayLike, expected: ArrayLike, name: str = "result") -> None:
    """Two float64 or two integer arrays have the same shape and bytes; any two NaNs are equal.

    A failure names the first difference, in C order.
    """
    __tracebackhide__ = True
    a, b = np.asarray(actual), np.asarray(expected)
    if not (a.dtype == b.dtype == np.float64 or a.dtype.kind == b.dtype.kind == "i"):
        raise AssertionError(f"{name}: types {a.dtype} and {b.dtype}, expected two of float64 or of integers")
    if a.shape != b.shape:
        raise AssertionError(f"{name}: shape {a.shape} is not {b.shape}")
    different = differences(a, b)
    if different.any():
        first = tuple(int(i) for i in np.argwhere(different)[0])
        where = f"{name}[{', '.join(map(str, first))}]" if first else name
        count = f"; {different.sum()} of {different.size} differ" if different.size > 1 else ""
        raise AssertionError(f"{where}: {describe(a[first], b[first])}{count}")


def differences(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a and b, of the same shape, differ."""
    if a.dtype.kind == "i":
        return np.asarray(a != b)
    return np.asarray((a.view(np.uint64) != b.view(np.uint64)) & ~(np.isnan(a) & np.isnan(b)))


def describe(a: Any, b: Any) -> str:
    """How two numbers differ."""
    if not isinstance(a, np.floating):
        return f"{a} is not {b}"
    text = f"{float(a)!r} ({float(a).hex()}) is not {float(b)!r} ({float(b).hex()})"
    if np.isfinite(a) and np.isfinite(b):
        text += f", {abs(position(a) - position(b))} ulp apart"
    return text


def position(x: np.floating[Any]) -> int:
    """The rank of x among all float64 in increasing order; both zeros have rank 0."""
    bits = int(x.view(np.int64))
    return bits if bits >= 0 else -(bits & MAGNITUDE)
