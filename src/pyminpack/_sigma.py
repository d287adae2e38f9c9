"""`weighing`: divide residuals by sigma, their standard errors or their covariance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import mul
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyminpack._data import entry, first_nonfinite, mask_of

_BLOCK = 64  # rows of a covariance's factor that are solved for at a time
_Block = tuple[slice, NDArray[Any], NDArray[Any], NDArray[Any]]  # rows; the factor to its left; itself; its inverse


class Weighing(NamedTuple):
    """Functions that divide residuals, shape (m,), and the transposed Jacobian, shape (n, m), by sigma."""

    residuals: Callable[[Any], Any]
    jacobian: Callable[[Any], Any]
    cause: str = ""  # what makes each residual of a point NaN or inf, such as "sigma[7] is 0"


def weighing(sigma: NDArray[Any], m: int, where: NDArray[np.intp] | None) -> Weighing:
    """The weighing by sigma of m data. where: the user's indices of its points; None: from 0 on."""

    def said(index: tuple[int, ...]) -> str:
        return entry("sigma", index if where is None else tuple(where[list(index)].tolist()), sigma[index])

    if sigma.ndim < 2 and sigma.size in (1, m):
        with np.errstate(all="ignore"):
            weights = 1.0 / sigma
        index = first_nonfinite(weights)
        if index is None:  # the operator, as in SciPy: masked arrays have their own
            return Weighing(partial(mul, weights), partial(np.multiply, weights))
        return Weighing(partial(_quietly, weights), partial(_quietly, weights), said(index))
    if sigma.shape != (m, m):
        raise ValueError(
            f"`sigma` has incorrect shape. It is {sigma.shape}; expected ({m},), ({m}, {m}), or a single number"
        )
    if (index := first_nonfinite(sigma)) is not None:
        raise ValueError(f"array must not contain infs or NaNs: {said(index)}")
    try:
        factor = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError as error:
        lowest = int(sigma.diagonal().argmin())
        is_negative = sigma[lowest, lowest] <= 0
        found = said((lowest, lowest)) if is_negative else f"its lowest eigenvalue is {_lowest(sigma):.3g}"
        raise ValueError(f"`sigma` must be positive definite. As a covariance, {found}") from error
    blocks = _blocks(factor)
    return Weighing(partial(_solved, blocks, "f(xdata, *p) - ydata"), partial(_solved, blocks, "jac"))


def _quietly(weights: NDArray[Any], values: Any) -> Any:
    with np.errstate(all="ignore"):
        return weights * values


def _lowest(sigma: NDArray[Any]) -> float:
    return float(np.linalg.eigvalsh(sigma)[0])


def _blocks(factor: NDArray[Any]) -> list[_Block]:
    """Cut a lower triangle into blocks for forward substitution."""
    cuts = [slice(start, start + _BLOCK) for start in range(0, len(factor), _BLOCK)]
    return [(rows, factor[rows, : rows.start], factor[rows, rows], np.linalg.inv(factor[rows, rows])) for rows in cuts]


def _solved(blocks: list[_Block], what: str, values: NDArray[Any]) -> Any:
    """``(inv(factor) @ values.T).T``; a second step in each block makes it as accurate as solving for the block."""
    columns = np.asarray(values).T
    m = blocks[-1][0].start + len(blocks[-1][-1])
    if columns.shape[:1] != (m,):
        raise ValueError(f"`sigma` has incorrect shape. It is {(m, m)}, but {what} has shape {columns.T.shape}")
    if columns.dtype.kind == "f" and (index := first_nonfinite(columns)) is not None:
        raise ValueError(
            f"array must not contain infs or NaNs: {what} is {columns[index]:g} at point {index[0]}, which a"
            " covariance as sigma spreads over all residuals"
        )
    solution = np.empty(columns.shape, np.result_type(blocks[0][-1], columns))
    for rows, left, block, inverse in blocks:
        right = columns[rows] - left @ solution[: rows.start]
        first = inverse @ right
        solution[rows] = first + inverse @ (right - block @ first)
    mask = mask_of(values)
    return solution.T if mask is None else np.ma.array(solution.T, mask=mask)  # type: ignore[no-untyped-call]
