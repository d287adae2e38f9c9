"""`uncertainty`: how well a fit determines its parameters, and which it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import kernels
from pyminpack._warnings import warn

Vector = NDArray[np.float64]

# What forward differences and rounding turn a zero into, relative to the largest entry, with columns of length 1.
_TOL_OF_DIFFERENCES = 1e-6
_TOL_OF_DFUN = 1e-13

_SAME = 1e-6  # of the largest entry, with columns of length 1: above this, two covariances differ
_OFFSET = 0.1  # relative offset above which a fit has not converged, ...
_CHANGE = 1e-6  # ... if its next step exceeds this, relative to x, ...
_RUN_OFF = 100  # ... without parameters whose relative step exceeds this: held at a bound by a transformation


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
        Solution from `leastsq`.
    cov_x : array_like, shape (n, n), or None
        The `cov_x` of `leastsq` or the `pcov` of `curve_fit`, which is recognised by its size. If None, or without a
        finite entry, it is computed from ``infodict["fjac"]``.
    infodict : dict
        From the same call. SciPy's works, too.
    absolute : bool, default False
        Whether the residuals are in units of their standard errors, so that their variance is 1; otherwise it is
        estimated as ``sum(fvec**2) / (m - rank)``. Pass True for a `curve_fit` with ``absolute_sigma=True``: its
        `pcov` looks like the `cov_x` of `leastsq`.
    tol : float, optional
        The Jacobian's columns, each divided by its length, are factorised with pivoting. From the first diagonal entry
        of R that is at most `tol` times the first, parameters are not determined. Default: 1e-6 for forward differences
        (no ``njev`` in infodict), which are hardly more accurate, and 1e-13 for a Jacobian by Dfun.

    Returns
    -------
    Uncertainty
        A named tuple.

        ``covariance`` : ndarray, shape (n, n)
            Of the parameters: the `cov_x` of `leastsq` times the variance, which is the `pcov` of `curve_fit`. For
            parameters in the null space, inf on the diagonal and NaN elsewhere.
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
            Each row is a combination that is not: adding any multiple of it to x leaves the residuals unchanged to
            first order. It has 1 for a parameter of its own, and 0 for those not involved. ``row.nonzero()`` gives the
            parameters that cannot be told apart.

    Raises
    ------
    ValueError
        If the shapes are inconsistent; if `cov_x` does not belong to `infodict`; if ``infodict["fjac"]`` is not
        finite, or ``infodict["ipvt"]`` is not a permutation; or if m = rank, without `absolute`.

    Warns
    -----
    RuntimeWarning
        If the fit stopped before it reached a minimum, as with `ier` 5: the relative offset ``norm(qtf) / norm(fvec) *
        sqrt((m - n) / n)`` exceeds 0.1 and the next step 1e-6 of x.

    Notes
    -----
    As for `cov_x`, the Jacobian is the last one that the fit evaluated, not the one at x. Its columns are divided by
    their lengths so that the units of the parameters do not matter. MINPACK's test, without this, takes a parameter to
    be dependent if its unit is small enough.

    References
    ----------
    netlib's MINPACK, routine COVAR, for the test of rank.
    D. M. Bates, D. G. Watts, *Nonlinear Regression Analysis and Its Applications*, 1988, sections 2.2.3 (relative
    offset) and 2.3.

    Examples
    --------
    The data determine the sum of two parameters, but neither of them:

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
    r, ipvt, fvec = _parts(infodict)
    n = ipvt.size
    for name, given, expected in (("x", x, (n,)), ("cov_x", cov_x, (n, n))):
        if given is not None and np.shape(given) != expected:
            raise ValueError(f"uncertainty: {name} has shape {np.shape(given)}; expected {expected}, by infodict")
    if tol is None:
        tol = _TOL_OF_DFUN if "njev" in infodict else _TOL_OF_DIFFERENCES
    if not 0 <= tol < 1:
        raise ValueError(f"uncertainty: tol is {tol}; expected at least 0 and less than 1")

    jacobian = r[:, np.argsort(ipvt)]  # its columns in the order of x have the Jacobian's lengths and angles
    lengths = np.array([kernels.enorm(column) or 1.0 for column in jacobian.T])
    a, order, rdiag, _ = kernels.qrfac(jacobian / lengths)
    unit_r = np.triu(a, 1) + np.diag(rdiag)
    scaled, rank = kernels.covar(unit_r, order, tol)
    null_space = _null_space(unit_r, order - 1, rank, lengths, np.sqrt(tol))
    free = null_space.any(axis=0)

    freedom = fvec.size - rank
    if freedom == 0 and not absolute:
        raise ValueError(
            f"uncertainty: {fvec.size} residuals have no degrees of freedom left at rank {rank}, so that their variance"
            " cannot be estimated; absolute=True takes them to be in units of their standard errors"
        )
    with np.errstate(all="ignore"):  # 0/0 for the free; huge residuals
        variance = float(np.add.reduce(np.square(fvec)) / freedom) if freedom else np.nan
        correlations = scaled / np.sqrt(np.outer(scaled.diagonal(), scaled.diagonal()))
        given = np.asarray(np.nan if cov_x is None else cov_x, float)
        if free.any() or not np.isfinite(given).any():
            covariance = scaled / np.outer(lengths, lengths) * (1.0 if absolute else variance)
        else:
            covariance = _covariance(given, kernels.covar(r, ipvt).r, lengths, variance, absolute)
        if variance > 0:
            _warn_if_unfinished(np.asarray(x, float), infodict.get("qtf"), fvec, jacobian, lengths, tol)
    for matrix, diagonal in ((covariance, np.inf), (correlations, 1.0)):
        matrix[free] = matrix[:, free] = np.nan
        matrix[free, free] = diagonal
    return Uncertainty(covariance, np.sqrt(covariance.diagonal()), correlations, variance, freedom, rank, null_space)


def _parts(infodict: Mapping[str, Any]) -> tuple[Vector, NDArray[np.intp], Vector]:
    """R, shape (n, n); ipvt, counted from 1; fvec."""
    fjac, ipvt, fvec = (np.asarray(infodict[name]) for name in ("fjac", "ipvt", "fvec"))
    n = ipvt.size
    if n == 0 or fjac.shape != (n, fvec.size):
        raise ValueError(
            f"uncertainty: infodict['fjac'] has shape {fjac.shape}; expected {(n, fvec.size)}, by 'ipvt' and 'fvec'"
        )
    first = int(ipvt.min() == 1)  # SciPy counts from 0 since 1.15
    if ipvt.dtype.kind not in "iu" or not np.array_equal(np.sort(ipvt), np.arange(first, first + n)):
        raise ValueError(f"uncertainty: infodict['ipvt'] is {ipvt}; expected each number from 1 to {n} once")
    r = np.triu(fjac[:, :n].T)
    if not np.isfinite(r).all():
        raise ValueError("uncertainty: infodict['fjac'] is not finite; the Jacobian had NaN or inf, or overflowed")
    return r, ipvt.astype(np.intp) - first + 1, fvec


def _covariance(given: Vector, cov_x: Vector, lengths: Vector, variance: float, absolute: bool) -> Vector:
    """The given matrix times the variance, which curve_fit's pcov already includes. cov_x: what leastsq returned."""
    scales = np.outer(lengths, lengths)
    for scale in (1.0, variance):
        expected = cov_x * scale
        error, size = np.abs(given - expected), np.abs(expected * scales)
        largest = np.max(size, where=np.isfinite(size), initial=0.0)
        is_tiny = error <= np.finfo(float).tiny
        if ((error * scales <= _SAME * largest) | (given == expected) | is_tiny).all():
            break
    else:
        raise ValueError(
            "uncertainty: cov_x does not belong to infodict; expected the cov_x of the same leastsq, the pcov of the"
            " same curve_fit, or None to compute it from infodict"
        )
    if scale == 1.0:
        return given * (1.0 if absolute else variance)
    return cov_x if absolute else given.copy()


def _warn_if_unfinished(
    x: Vector, qtf: Vector | None, fvec: Vector, jacobian: Vector, lengths: Vector, tol: float
) -> None:
    """Warn if a Gauss-Newton step would reduce the residuals much: Bates and Watts' relative offset."""
    if qtf is None or not np.isfinite(qtf).all():
        return
    unit = jacobian / lengths
    step = np.linalg.lstsq(unit, qtf, rcond=tol)[0]
    at_bound = (np.abs(step) > _RUN_OFF * np.abs(lengths * x)) & (x != 0)
    if at_bound.any() and not at_bound.all():
        step = np.zeros(x.size)
        step[~at_bound] = np.linalg.lstsq(unit[:, ~at_bound], qtf, rcond=tol)[0]
    offset = kernels.enorm(unit @ step) * np.sqrt((fvec.size - x.size) / x.size) / kernels.enorm(fvec)
    change = np.float64(kernels.enorm(step)) / kernels.enorm(lengths * x)
    if offset > _OFFSET and change > _CHANGE:
        warn(
            f"uncertainty: the fit has not reached a minimum: the next step would change x by {change:.2g} of its size."
            " Do not trust the standard errors; go on from this x, with a larger maxfev",
            RuntimeWarning,
        )


def _null_space(r: Vector, order: NDArray[np.int32], rank: int, lengths: Vector, least: float) -> Vector:
    """A row per column beyond rank: the column minus its combination of those before, with coefficients above least."""
    determined, rest = order[:rank], order[rank:]
    made = np.linalg.solve(r[:rank, :rank], r[:rank, rank:])
    made[np.abs(made) <= least] = 0.0
    null_space = np.zeros((rest.size, order.size))
    null_space[:, determined] -= made.T * lengths[rest, np.newaxis] / lengths[determined]
    null_space[np.arange(rest.size), rest] = 1.0
    return null_space
