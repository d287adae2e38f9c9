"""The covariance of a linear least-squares problem by rational arithmetic: libminpack.so.1 exports no covar (nm -D)."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from oracles.minpack_calls import Array, Integers


def exact_covariance(r: Array, ipvt: Integers, rank: int) -> Array:
    """(A'A)^-1 for A P = Q R by rational arithmetic, of the leading rank columns; zero for those left out."""
    u = [[Fraction(value) for value in row[:rank]] for row in np.triu(np.nan_to_num(r))[:rank]]
    v = [[Fraction(0)] * rank for _ in range(rank)]  # the inverse of u
    for j in range(rank):
        for i in range(j, -1, -1):
            v[i][j] = ((i == j) - sum(u[i][k] * v[k][j] for k in range(i + 1, j + 1))) / u[i][i]
    covariance = np.zeros(r.shape)
    for i, j in itertools.product(range(rank), repeat=2):
        covariance[ipvt[i] - 1, ipvt[j] - 1] = sum(v[i][k] * v[j][k] for k in range(rank))
    return covariance
