"""Peak memory of a fit by forward differences, in fresh processes."""

from __future__ import annotations

import subprocess
import sys

SIZES = [(1000, 10), (10_000, 50), (100_000, 20), (1_000_000, 10)]

CHILD = """
import resource, numpy as np, scipy.optimize, pyminpack
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
rows, powers = np.arange({m}) / {m}, np.arange({n})
f, term = np.empty({m}), np.empty({m})
def residuals(x):
    np.negative(rows, out=f)
    for xj, power in zip(x, powers):
        np.cos(np.multiply(power, rows, out=term), out=term)
        np.add(f, np.multiply(xj, term, out=term), out=f)
    return f.copy()
{package}.leastsq(lambda x: x - 1, np.zeros(2), full_output=True)
residuals(np.ones({n}))
before = peak()
{package}.leastsq(residuals, np.zeros({n}), full_output=True)
print(peak() - before)
"""


def peak(package: str, m: int, n: int) -> int:
    """Bytes that an m x n fit adds to a process's peak, including what func returns."""
    code = CHILD.format(package=package, m=m, n=n)
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
