"""`weighing`: residuals divided by sigma, their standard errors or their covariance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 64  # rows of the factor of a covariance that are solved for at a time
_Block = tuple[slice, NDArray[Any], NDArray[Any], NDArray[Any]]  # its rows; what is left of it; itself; its inverse


def weighing(sigma: NDArray[Any], m: int) -> Callable[[Any], Any]:
    """What divides residuals, shape (m,), or the transposed Jacobian, shape (n, m), by sigma."""
    if sigma.ndim < 2 and sigma.size in (1, m):
        return partial(np.multiply, 1.0 / sigma)
    if sigma.shape != (m, m):
        raise ValueError("`sigma` has incorrect shape.")
    try:
        factor = np.linalg.cholesky(np.asarray_chkfinite(sigma))
    except np.linalg.LinAlgError as error:
        raise ValueError("`sigma` must be positive definite.") from error
    return partial(_solved, _blocks(factor))


def _blocks(factor: NDArray[Any]) -> list[_Block]:
    """A lower triangle cut into what forward substitution takes in turn."""
    cuts = [slice(start, start + _BLOCK) for start in range(0, len(factor), _BLOCK)]
    return [(rows, factor[rows, : rows.start], factor[rows, rows], np.linalg.inv(factor[rows, rows])) for rows in cuts]


def _solved(blocks: list[_Block], values: NDArray[Any]) -> NDArray[Any]:
    """``(inv(factor) @ values.T).T``; a second step in each block makes it as exact as if the block were solved for."""
    columns = np.asarray_chkfinite(values).T
    solution = np.empty(columns.shape, np.result_type(blocks[0][-1], columns))
    for rows, left, block, inverse in blocks:
        right = columns[rows] - left @ solution[: rows.start]
        first = inverse @ right
        solution[rows] = first + inverse @ (right - block @ first)
    return solution.T
