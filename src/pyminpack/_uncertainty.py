"""`uncertainty`: what a fit tells of its parameters, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import kernels

Vector = NDArray[np.float64]

# Relative to the largest, with columns of length 1: what differences make of a zero, and what rounding makes of it.
_TOL_OF_DIFFERENCES = 1e-6
_TOL_OF_DFUN = 1e-13


class Uncertainty(NamedTuple):
    """What `uncertainty` returns; the fields are described there."""

    covariance: Vector
    standard_errors: Vector
    correlations: Vector
    variance: float
    freedom: int
    rank: int
    null_space: Vector


def uncertainty(
    x: ArrayLike,
    cov_x: ArrayLike | None,
    infodict: Mapping[str, Any],
    *,
    absolute: bool = False,
    tol: float | None = None,
) -> Uncertainty:
    """Standard errors of fitted parameters, and which combinations of them the data do not determine.

    Parameters
    ----------
    x : array_like, shape (n,)
        Solution that `leastsq` returned.
    cov_x : array_like, shape (n, n), or None
        What it returned as that. Where it is None, it is computed from ``infodict["fjac"]``.
    infodict : dict
        What it returned as that, or `curve_fit` did (whose covariance is scaled already: give None for `cov_x`).
        SciPy's will do, too.
    absolute : bool, default False
        Whether the residuals are in units of their standard errors, so that their variance is 1. Else it is estimated
        by ``sum(fvec**2) / (m - rank)``.
    tol : float, optional
        The Jacobian's columns, each divided by its length, are factorised with pivots; from the first diagonal entry of
        R on that is at most `tol` times the first, the parameters are not determined. Default: 1e-6 for differences
        (infodict has no ``njev``), which are hardly more exact, and 1e-13 for a Jacobian by Dfun.

    Returns
    -------
    Uncertainty
        A named tuple.

        ``covariance`` : ndarray, shape (n, n)
            `cov_x` times the variance. For a parameter that takes part in the null space, inf on the diagonal and NaN
            elsewhere.
        ``standard_errors`` : ndarray, shape (n,)
            ``sqrt(diag(covariance))``, each in its parameter's unit; inf for those parameters.
        ``correlations`` : ndarray, shape (n, n)
            ``covariance[i, j] / (standard_errors[i] * standard_errors[j])``, 1 on the diagonal.
        ``variance`` : float
            ``sum(fvec**2) / freedom``, also where it is not used; NaN if `freedom` is 0. For residuals in units of
            their standard errors it should be near 1.
        ``freedom`` : int
            Degrees of freedom, m - rank.
        ``rank`` : int
            How many parameters, or combinations of them, are determined.
        ``null_space`` : ndarray, shape (n - rank, n)
            Each row is a combination that is not: added to x, in any multiple, it leaves the residuals as they are, to
            first order. It has 1 for a parameter of its own, and 0 for those that do not take part. ``row.nonzero()``
            are the parameters that cannot be told apart.

    Raises
    ------
    ValueError
        If the shapes do not fit together; if ``infodict["fjac"]`` is not finite; or if m = rank, without `absolute`.

    Notes
    -----
    The Jacobian is the last that the fit asked for, not that at x, as for `cov_x`. Its columns are divided by their
    lengths so that the units of the parameters do not matter. MINPACK's test on the columns as they are takes a
    parameter for dependent if its unit is small enough.

    References
    ----------
    netlib's MINPACK, routine COVAR, which has the test of rank.
    D. M. Bates, D. G. Watts, *Nonlinear Regression Analysis and Its Applications*, 1988, section 2.3.

    Examples
    --------
    Of a sum of two parameters, each cannot be told:

    >>> import numpy as np
    >>> from pyminpack import leastsq, uncertainty
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([1.1, 2.9, 5.2, 6.8])
    >>> x, cov_x, infodict, _, _ = leastsq(lambda p: (p[0] + p[1]) + p[2] * t - y, [1, 1, 1], full_output=True)
    >>> result = uncertainty(x, cov_x, infodict)
    >>> result.rank, result.null_space.round(6)
    (2, array([[ 1., -1.,  0.]]))
    >>> result.standard_errors.round(3)
    array([  inf,   inf, 0.091])
    """
    jacobian, fvec = _parts(infodict)
    n = len(jacobian)
    for name, given, expected in (("x", x, (n,)), ("cov_x", cov_x, (n, n))):
        if given is not None and np.shape(given) != expected:
            raise ValueError(f"uncertainty: {name} has shape {np.shape(given)}; expected {expected}, by infodict")
    if tol is None:
        tol = _TOL_OF_DFUN if "njev" in infodict else _TOL_OF_DIFFERENCES
    if not 0 <= tol < 1:
        raise ValueError(f"uncertainty: tol is {tol}; expected at least 0 and less than 1")

    lengths = np.array([kernels.enorm(column) or 1.0 for column in jacobian.T])
    a, ipvt, rdiag, _ = kernels.qrfac(jacobian / lengths)
    r = np.triu(a, 1) + np.diag(rdiag)
    scaled, rank = kernels.covar(r, ipvt, tol)
    null_space = _null_space(r, ipvt - 1, rank, lengths, np.sqrt(tol))
    free = null_space.any(axis=0)

    freedom = fvec.size - rank
    if freedom == 0 and not absolute:
        raise ValueError(
            f"uncertainty: {fvec.size} residuals have no degrees of freedom left at rank {rank}, so that their variance"
            " cannot be estimated; absolute=True takes them to be in units of their standard errors"
        )
    variance = float(np.add.reduce(np.square(fvec)) / freedom) if freedom else np.nan
    with np.errstate(all="ignore"):  # 0/0 for the free
        correlations = scaled / np.sqrt(np.outer(scaled.diagonal(), scaled.diagonal()))
        unscaled = scaled / np.outer(lengths, lengths) if cov_x is None or free.any() else np.asarray(cov_x, float)
    covariance = unscaled * (1.0 if absolute else variance)
    for matrix, diagonal in ((covariance, np.inf), (correlations, 1.0)):
        matrix[free] = matrix[:, free] = np.nan
        matrix[free, free] = diagonal
    return Uncertainty(covariance, np.sqrt(covariance.diagonal()), correlations, variance, freedom, rank, null_space)


def _parts(infodict: Mapping[str, Any]) -> tuple[Vector, Vector]:
    """R with its columns in the order of x, which has the Jacobian's lengths and angles, shape (n, n); and fvec."""
    fjac, ipvt, fvec = (np.asarray(infodict[name]) for name in ("fjac", "ipvt", "fvec"))
    n = ipvt.size
    if n == 0 or fjac.shape != (n, fvec.size):
        raise ValueError(
            f"uncertainty: infodict['fjac'] has shape {fjac.shape}; expected {(n, fvec.size)}, by 'ipvt' and 'fvec'"
        )
    r = np.empty((n, n))
    r[:, ipvt - ipvt.min()] = np.triu(fjac[:, :n].T)  # SciPy counts from 0 since 1.15
    if not np.isfinite(r).all():
        raise ValueError("uncertainty: infodict['fjac'] is not finite; the Jacobian had NaN or inf, or overflowed")
    return r, fvec


def _null_space(r: Vector, order: NDArray[np.int32], rank: int, lengths: Vector, least: float) -> Vector:
    """A row for each column beyond rank: it, less what the columns before make of it, if more than least."""
    determined, rest = order[:rank], order[rank:]
    made = np.linalg.solve(r[:rank, :rank], r[:rank, rank:])
    made[np.abs(made) <= least] = 0.0
    null_space = np.zeros((rest.size, order.size))
    null_space[:, determined] -= made.T * lengths[rest, np.newaxis] / lengths[determined]
    null_space[np.arange(rest.size), rest] = 1.0
    return null_space
