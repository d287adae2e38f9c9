"""`check_jacobian`: does Dfun belong to func? By MINPACK's chkder, at several points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack, kernels
from pyminpack._names import LEASTSQ
from pyminpack._reports import Masked, warn_of

Vector = NDArray[np.float64]

_NAMES = LEASTSQ._replace(caller="check_jacobian")
_PRECISION = 2.22044604926e-16
_STEP = np.sqrt(_PRECISION)  # chkder's, relative
_PASS = 0.5  # the score from which chkder's documentation takes a row for right
_NEIGHBOURS = 4
_DISTANCE = 0.01  # of the neighbours, relative to x0
_GOLDEN = 0.6180339887498949  # its multiples fill (0, 1) evenly
_LONGER = 1e3  # a second step, of another difference


class JacobianCheck(NamedTuple):
    """What `check_jacobian` returns. Its text is the report; it is true if the Jacobian passes."""

    scores: Vector
    ok: bool
    worst: tuple[int, int]
    report: str

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return self.report


class _Point(NamedTuple):
    """Func and Dfun at one point, and what chkder says of it."""

    x: Vector
    fvec: Vector
    fjac: Vector
    scale: Vector  # (m,): of what a row makes of the step, relative to its length
    scores: Vector  # (m,): NaN where there is no verdict


def check_jacobian(
    func: Callable[..., Any],
    x0: ArrayLike,
    Dfun: Callable[..., Any],
    args: Any = (),
    col_deriv: int = False,
    epsfcn: float | None = None,
) -> JacobianCheck:
    """Check a Jacobian against the residuals that it should be the derivative of.

    MINPACK's `kernels.chkder` compares Dfun with the change of func over a short step, at x0 and at four points near
    it, in five directions. Where a residual fails, forward differences tell the entry.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns the m residuals, shape (m,), as for `leastsq`.
    x0 : array_like
        Point to check at, n numbers; any shape, flattened. Zeros and symmetric points hide errors, a typical point
        does not.
    Dfun : callable
        ``Dfun(x, *args)`` returns the Jacobian, shape (m, n), as for `leastsq`.
    args : tuple, default ()
        Further arguments of `func` and `Dfun`; anything but a tuple is passed as the only one.
    col_deriv : bool, default False
        Whether `Dfun` returns the transposed Jacobian, shape (n, m).
    epsfcn : float, optional
        Relative error of the residuals, as in `leastsq`, if they come from an integration, a table or float32: the
        steps are ``sqrt(epsfcn)*abs(x)``. Default, and the least that counts: float64's precision.

    Returns
    -------
    JacobianCheck
        A named tuple, true if Dfun passes. Its text is a report.

        ``scores`` : ndarray, shape (m,)
            For each residual from 1, its row is right, to 0, it is wrong, by the logarithm of the discrepancy: 0.5 is
            at ``2*epsfcn**0.25`` of what the row makes of the step, by default 2.4e-4. The median over the points; 0
            where func or Dfun is not finite at x0, or Dfun times x overflows.
        ``ok`` : bool
            Whether all scores are at least 0.5.
        ``worst`` : tuple of int
            Row and column, counted from 0, of the entry that differs most from a forward difference, among the rows
            with the lowest score.
        ``report`` : str
            What was found, in a few lines.

    Raises
    ------
    TypeError
        If `func` or `Dfun` is not callable, or does not return real numbers in the right shape; if `epsfcn` is not a
        real number.
    ValueError
        If `x0` is empty, if the number of residuals changes, or if `epsfcn` is not below 1.
    Exception
        Whatever `func` and `Dfun` raise passes unchanged.

    Warns
    -----
    RuntimeWarning
        If `func` or `Dfun` returns a masked array with masked entries, which count like any other.

    Notes
    -----
    It calls `Dfun` 5 times and `func` 10 + n times, once more if Dfun fails. An error that is much smaller than the
    row's other entries, each times its x, is not seen; nor is one where the residual exceeds what the row makes of x
    ten million times, so that the change over the step is nearly lost. A row that curves within the step, as of a sine
    of hundreds of turns, fails though it is right, and so does one of a `func` that is less exact than float64, in
    which a step of 1.5e-8 of x is lost. The report says so where a longer step gives another difference.

    References
    ----------
    J. J. Moré, B. S. Garbow, K. E. Hillstrom, *User guide for MINPACK-1*, ANL-80-74, 1980, CHKDER.

    Examples
    --------
    >>> import numpy as np
    >>> from pyminpack import check_jacobian
    >>> t = np.array([1.0, 2.0, 3.0])
    >>> def residuals(p):
    ...     return 1.0 - p[0] * np.exp(-p[1] * t)
    >>> def jacobian(p):
    ...     return np.column_stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t)])
    >>> check_jacobian(residuals, [2.0, 0.5], jacobian)
    check_jacobian: Dfun does not belong to func: 3 of 3 residuals fail (score below 0.5).
    Worst: row 0, column 0 (counted from 0), where Dfun has 0.606531 and a forward difference gives -0.606531
    at x = [2.  0.5]. With the opposite sign Dfun agrees.
    >>> check_jacobian(residuals, [2.0, 0.5], lambda p: -jacobian(p)).ok
    True
    """
    for name, function in (("func", func), ("Dfun", Dfun)):
        if not callable(function):
            raise TypeError(f"check_jacobian: {name} must be callable, not {type(function).__name__}")
    if not isinstance(args, tuple):
        args = (args,)
    x0 = _minpack.start_vector("check_jacobian", "x0", x0)
    if x0.size == 0:
        raise ValueError("check_jacobian: x0 is empty; expected at least one number")
    epsfcn = _relative_error(epsfcn)
    step = np.sqrt(epsfcn)
    calls = {"func": 0, "Dfun": 0}
    masks: list[Masked] = []
    m = 0
    precision = _PRECISION  # the least of what func returned

    def answer(role: str, function: Callable[..., Any], x: Vector, n: int) -> Vector:
        nonlocal precision
        returned = function(x.copy(), *args)
        calls[role] += 1
        array, eps, masked = _minpack.answer(
            "check_jacobian", role, function, returned, calls[role], m, n, bool(col_deriv)
        )
        precision = max(precision, eps)
        if masked is not None:
            masks.append(masked)
        return array

    def residuals(x: Vector) -> Vector:
        nonlocal m
        fvec = answer("func", func, x, 0)
        m = fvec.size
        if m == 0:
            raise ValueError("check_jacobian: func returned no residuals; expected at least one")
        return fvec

    def jacobian(x: Vector) -> Vector:
        return answer("Dfun", Dfun, x, x.size)

    points = [_check_at(residuals, jacobian, x, sign, step) for x, sign in _points(x0)]
    here = points[0]
    scores = _median(np.array([point.scores for point in points]))
    finite = np.isfinite(here.fvec) & np.isfinite(here.fjac).all(axis=1)
    scores[~finite] = 0.0

    lowest = int(np.argmin(scores))
    where = here
    if finite[lowest]:
        where = next((point for point in points if point.scores[lowest] < _PASS), here)
    differences = kernels.fdjac2(residuals, where.x, where.fvec, epsfcn)
    discrepancies = _discrepancies(where, where.fjac, differences)
    discrepancies[scores > scores[lowest]] = -1.0
    row, column = (int(i) for i in np.unravel_index(np.argmax(discrepancies), discrepancies.shape))
    ok = bool(scores[lowest] >= _PASS)
    judged = sum(not np.isnan(point.scores).all() for point in points)
    report = _report(scores, judged, where, differences, row, column, 2 * np.sqrt(step))
    if not ok and precision > epsfcn:
        report += (
            "\nDfun may be right all the same: func returns less than float64, in which so short a step is lost;"
            f" pass epsfcn={precision:.2g}."
        )
    elif not ok:
        report += _by_a_longer_step(residuals, where, differences, row, column, _LONGER * step)
    warn_of(masks[:1], _NAMES)
    return JacobianCheck(scores, ok, (row, column), report)


def _relative_error(epsfcn: Any) -> float:
    """Epsfcn as it counts."""
    if epsfcn is None:
        return _PRECISION
    if not isinstance(epsfcn, (float, int, np.floating, np.integer)):
        raise TypeError(f"check_jacobian: epsfcn must be a real number, not {type(epsfcn).__name__}")
    if epsfcn >= 1:
        raise ValueError(f"check_jacobian: epsfcn is {epsfcn}; expected a relative error, below 1")
    return max(_PRECISION, float(epsfcn))


def _points(x0: Vector) -> list[tuple[Vector, Vector]]:
    """x0 and its neighbours, each with the signs of the direction to step in."""
    points = [(x0, np.ones_like(x0))]
    for k in range(1, _NEIGHBOURS + 1):
        u = (np.arange(1, x0.size + 1) + k * x0.size) * _GOLDEN % 1
        sign = np.where(np.abs(u - k / _NEIGHBOURS) < 0.15, -1.0, 1.0)  # few: else steps in a sum cancel
        with np.errstate(all="ignore"):  # x0 may be infinite, or all but
            points.append((x0 + _DISTANCE * (2 * u - 1) * _lengths(x0), sign))
    return points


def _lengths(x: Vector) -> Vector:
    """The length to which chkder's step is relative, variable by variable."""
    return np.where(x == 0, 1.0, np.abs(x))


def _check_at(
    residuals: Callable[[Vector], Vector],
    jacobian: Callable[[Vector], Vector],
    x: Vector,
    sign: Vector,
    step: float,
) -> _Point:
    """Chkder at one point, in one direction.

    It grades discrepancies relative to the function, and does not grade functions that are zero or do not change. So
    each residual is first measured by the scale of its own derivative, begins at 1, and gets a further variable, at 1,
    of derivative 2. The change over another step than chkder's is brought to that, and the scores from its logarithm
    to that of the step.
    """
    fvec = residuals(x)
    fjac = jacobian(x)
    with np.errstate(all="ignore"):
        stepped = x + sign * step * _lengths(x)
    fvecp = residuals(stepped)
    with np.errstate(all="ignore"):
        change = (fvecp - fvec) * (_STEP / step)
        scale = np.fmax(np.abs(fjac) @ _lengths(x), np.abs(change) / _STEP)
        scale = np.fmax(scale, max(1e-3, 4 * np.sqrt(step)) * np.abs(fvec))  # for the residual's rounding
        scale[scale == 0] = 1.0
        rows = np.column_stack([sign * fjac / scale[:, np.newaxis], np.full(fvec.size, 2.0)])
        ends = 1 + (change / scale + 2 * _STEP)
    scores = kernels.chkder(np.append(sign * x, 1.0), np.ones(fvec.size), rows, ends, mode=2)
    scores = np.fmin(scores * (np.log(_STEP) / np.log(step)), 1.0)
    scores[~(np.isfinite(ends) & np.isfinite(scale) & np.isfinite(rows).all(axis=1))] = np.nan
    return _Point(x, fvec, fjac, scale, scores)


def _median(scores: Vector) -> Vector:
    """The median of the verdicts on each residual, shape (points, m); 0 where there is none."""
    scores[:, np.isnan(scores).all(axis=0)] = 0.0
    return np.asarray(np.nanmedian(scores, axis=0))


def _discrepancies(point: _Point, fjac: Vector, differences: Vector) -> Vector:
    """How far a Jacobian is from the differences, entry by entry, relative to the row's scale."""
    with np.errstate(all="ignore"):
        relative = np.abs(fjac - differences) * _lengths(point.x) / point.scale[:, np.newaxis]
    return np.where(np.isnan(relative), np.inf, relative)


def _by_a_longer_step(
    residuals: Callable[[Vector], Vector], worst: _Point, differences: Vector, row: int, column: int, step: float
) -> str:
    """A line for the report where another step gives another difference of the worst entry."""
    x = worst.x.copy()
    h = step * _lengths(x)[column]
    x[column] += h
    fvec = residuals(x)
    with np.errstate(all="ignore"):
        longer = (fvec[row] - worst.fvec[row]) / h
        wrong = np.abs([longer, worst.fjac[row, column]] - differences[row, column])
    if not (np.isfinite(wrong).all() and wrong[0] > 0.1 * wrong[1]):
        return ""
    return (
        f"\nBut with a step of {step:.2g} times x the difference is {longer:g}: func may be noisy, or curve"
        " within a step. Dfun may be right; pass epsfcn, the relative error of func."
    )


def _report(
    scores: Vector, points: int, worst: _Point, differences: Vector, row: int, column: int, tolerance: float
) -> str:
    """What was found, in a few lines."""
    failed = int(np.count_nonzero(scores < _PASS))
    if not failed:
        return (
            f"check_jacobian: Dfun belongs to func, by {points} point{'s' * (points > 1)};"
            f" the lowest score is {scores.min():.2f}, of residual {row}."
        )
    x = np.array2string(worst.x, precision=6, threshold=10, edgeitems=4, max_line_width=10**6)
    lines = [
        "check_jacobian: Dfun does not belong to func:"
        f" {failed} of {scores.size} residuals fail (score below {_PASS}).",
        f"Worst: row {row}, column {column} (counted from 0), where Dfun has {worst.fjac[row, column]:g}"
        f" and a forward difference gives {differences[row, column]:g}",
        f"at x = {x}.",
    ]
    if not np.isfinite(worst.fvec[row]):
        lines[-1] += f" There func returns {worst.fvec[row]:g} for this residual."
    for name, other in (("the opposite sign", -worst.fjac), ("rows and columns exchanged", worst.fjac.T)):
        if other.shape != differences.shape or np.array_equal(other, worst.fjac):
            continue
        if (_discrepancies(worst, other, differences) < max(1e-3, tolerance)).all():
            lines[-1] += f" With {name} Dfun agrees."
            break
    return "\n".join(lines)
