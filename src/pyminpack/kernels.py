"""MINPACK's routines, one by one: the parts of its Levenberg-Marquardt, as functions on arrays.

Names, arguments and their order are MINPACK's, without sizes, leading dimensions, outputs and work arrays: what a
routine writes is returned. No input is changed. ``ipvt`` counts from 1. The numbers are MINPACK's to the bit, special
values included.

Every function but `covar` has the keyword `solver`: ``"builtin"`` for pyminpack's own Fortran, ``"original"`` for
Argonne's, where it is in the build; None reads the environment variable ``PYMINPACK_SOLVER``, and means ``"builtin"``
without it. Both give the same bits.

The calling sequences are those of J. J. Moré, B. S. Garbow, K. E. Hillstrom, *User guide for MINPACK-1*, ANL-80-74,
1980. "The paper" is J. J. Moré, *The Levenberg-Marquardt algorithm: implementation and theory*, Lecture Notes in
Mathematics 630, 1978. ``examples/levenberg_marquardt.py`` makes the whole algorithm of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack
from pyminpack._names import Names
from pyminpack._reports import warn_of

__all__ = [
    "Covariance", "DampedStep", "Factorisation", "SystemSolution",
    "chkder", "covar", "enorm", "fdjac2", "lmpar", "qrfac", "qrsolv",
]

Vector = NDArray[np.float64]
Real = SupportsFloat | SupportsIndex
Solver = Literal["builtin", "original"] | None

_FDJAC2 = Names("fdjac2", "fcn", "", "x")


class Factorisation(NamedTuple):
    """What `qrfac` returns."""

    a: Vector
    ipvt: NDArray[np.int32]
    rdiag: Vector
    acnorm: Vector


class SystemSolution(NamedTuple):
    """What `qrsolv` returns."""

    r: Vector
    x: Vector
    sdiag: Vector


class DampedStep(NamedTuple):
    """What `lmpar` returns."""

    r: Vector
    par: float
    x: Vector
    sdiag: Vector


class Covariance(NamedTuple):
    """What `covar` returns."""

    r: Vector
    rank: int


def enorm(x: ArrayLike, *, solver: Solver = None) -> float:
    """Euclidean norm of a vector, without overflow or underflow on the way.

    Small, ordinary and large components are summed apart, the first and the last scaled by the largest of their kind.

    Parameters
    ----------
    x : array_like, shape (n,)
        The vector, n >= 1.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    float
        ``sqrt(sum(x**2))``.

    References
    ----------
    ANL-80-74, routine ENORM.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> kernels.enorm([3.0, 4.0])
    5.0
    """
    return _minpack.enorm(solver, x)


def qrfac(a: ArrayLike, pivot: bool = True, *, solver: Solver = None) -> Factorisation:
    """Factorise ``A P = Q R`` by Householder reflectors, the column of largest remaining norm first.

    Parameters
    ----------
    a : array_like, shape (m, n)
        The matrix A, of any shape with m, n >= 1.
    pivot : bool, default True
        Whether to exchange columns. False: P is the identity.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    a : ndarray, shape (m, n)
        R strictly above the diagonal. Column j on and below it is the vector v of the reflector ``I - v v' / v[j]``;
        where v[j] is 0 there is none. Q is the product of the reflectors, the first one first.
    ipvt : ndarray of int32, shape (n,)
        Column j of A P is column ``ipvt[j]`` of A, counted from 1.
    rdiag : ndarray, shape (n,)
        Diagonal of R.
    acnorm : ndarray, shape (n,)
        Norms of the columns of A.

    References
    ----------
    ANL-80-74, routine QRFAC; the paper, section 3.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> factors = kernels.qrfac([[1.0, 3.0], [0.0, 4.0]])
    >>> factors.ipvt, factors.rdiag
    (array([2, 1], dtype=int32), array([-5. ,  0.8]))
    """
    return Factorisation(*_minpack.qrfac(solver, a, pivot))


def qrsolv(r: ArrayLike, ipvt: ArrayLike, diag: ArrayLike, qtb: ArrayLike, *, solver: Solver = None) -> SystemSolution:
    """Solve ``A x = b``, ``D x = 0`` in the sense of least squares, from ``A P = Q R``.

    Givens rotations turn R over ``P' D P`` into an upper triangle S with ``P' (A' A + D D) P = S' S``.

    Parameters
    ----------
    r : array_like, shape (n, n)
        R in the upper triangle; what stands below does not matter. From `qrfac`: ``a[:n]`` with `rdiag` on its
        diagonal.
    ipvt : array_like of int, shape (n,)
        The permutation P as from `qrfac`, counted from 1.
    diag : array_like, shape (n,)
        Diagonal of D, in the order of x.
    qtb : array_like, shape (n,)
        First n entries of ``Q' b``.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    r : ndarray, shape (n, n)
        R, and ``S'`` strictly below the diagonal.
    x : ndarray, shape (n,)
        The solution. Where S is singular, ``P' x`` is zero from its first zero on the diagonal on.
    sdiag : ndarray, shape (n,)
        Diagonal of S.

    References
    ----------
    ANL-80-74, routine QRSOLV; the paper, section 3.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> kernels.qrsolv([[3.0, 1.0], [0.0, 2.0]], [2, 1], [0.0, 0.0], [5.0, 4.0]).x
    array([2., 1.])
    """
    return SystemSolution(*_minpack.qrsolv(solver, r, ipvt, diag, qtb))


def lmpar(
    r: ArrayLike,
    ipvt: ArrayLike,
    diag: ArrayLike,
    qtb: ArrayLike,
    delta: Real,
    par: Real = 0.0,
    *,
    solver: Solver = None,
) -> DampedStep:
    """The Levenberg-Marquardt parameter for a bound on the step, and the step.

    Finds par >= 0 such that the least-squares solution x of ``A x = b``, ``sqrt(par) D x = 0`` has
    ``abs(norm(D x) - delta) <= 0.1 delta``; or 0, if the solution for that has ``norm(D x) <= 1.1 delta``. By a
    safeguarded Newton iteration, ten steps at most.

    Parameters
    ----------
    r : array_like, shape (n, n)
        R of ``A P = Q R`` in the upper triangle, as for `qrsolv`.
    ipvt : array_like of int, shape (n,)
        The permutation P, counted from 1.
    diag : array_like, shape (n,)
        Diagonal of D, positive, in the order of x.
    qtb : array_like, shape (n,)
        First n entries of ``Q' b``.
    delta : float
        Bound on ``norm(D x)``, positive.
    par : float, default 0.0
        First estimate of the parameter, not negative.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    r : ndarray, shape (n, n)
        R, and ``S'`` strictly below the diagonal as `qrsolv` leaves it for ``sqrt(par) D``; as given if par is 0.
    par : float
        The parameter.
    x : ndarray, shape (n,)
        The solution for it.
    sdiag : ndarray, shape (n,)
        Diagonal of S; zeros if par is 0.

    References
    ----------
    ANL-80-74, routine LMPAR; the paper, section 5.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> r, par, x, sdiag = kernels.lmpar([[3.0, 1.0], [0.0, 2.0]], [1, 2], [1.0, 1.0], [5.0, 4.0], delta=1.0)
    >>> bool(par > 0), bool(abs(kernels.enorm(x) - 1.0) <= 0.1)
    (True, True)
    """
    return DampedStep(*_minpack.lmpar(solver, r, ipvt, diag, qtb, delta, par))


def fdjac2(
    fcn: Callable[[Vector], Any],
    x: ArrayLike,
    fvec: ArrayLike,
    epsfcn: Real = 0.0,
    *,
    solver: Solver = None,
) -> Vector:
    """The Jacobian by forward differences.

    Variable j steps by ``h = sqrt(max(epsfcn, eps)) * abs(x[j])``, or by that root where x[j] is 0; eps is MINPACK's
    precision, 2.22044604926e-16. The difference is divided by h.

    Parameters
    ----------
    fcn : callable
        ``fcn(x)`` returns the m residuals, as for `leastsq`. x is a float64 array of shape (n,) of its own.
    x : array_like, shape (n,)
        Where the Jacobian is wanted.
    fvec : array_like, shape (m,)
        ``fcn(x)``.
    epsfcn : float, default 0.0
        Relative error of the residuals.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    ndarray, shape (m, n)
        Entry (i, j) is the derivative of residual i by x[j].

    Raises
    ------
    TypeError, ValueError
        If `fcn` is not callable, or does not return m real numbers.
    Exception
        Whatever `fcn` raises passes unchanged.

    Warns
    -----
    RuntimeWarning
        If `fcn` returns a masked array with masked entries, which count like any other.

    References
    ----------
    ANL-80-74, routine FDJAC2.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> kernels.fdjac2(lambda x: [x[0] * x[1], x[1] ** 2], [2.0, 3.0], [6.0, 9.0]).round(6)
    array([[3., 2.],
           [0., 6.]])
    """
    if not callable(fcn):
        raise TypeError(f"fdjac2: fcn must be callable, not {type(fcn).__name__}")
    fjac, masked = _minpack.fdjac2(solver, fcn, x, fvec, epsfcn)
    if masked is not None:
        warn_of([masked], _FDJAC2)
    return fjac


def chkder(
    x: ArrayLike,
    fvec: ArrayLike | None = None,
    fjac: ArrayLike | None = None,
    fvecp: ArrayLike | None = None,
    mode: Literal[1, 2] = 1,
    *,
    solver: Solver = None,
) -> Vector:
    """Check a Jacobian against function values; to be called twice.

    `check_jacobian` does all of it for functions as `leastsq` has them.

    Parameters
    ----------
    x : array_like, shape (n,)
        Where the Jacobian is checked.
    fvec : array_like, shape (m,), optional
        Functions at x. This and the next two: in mode 2, and only there.
    fjac : array_like, shape (m, n), optional
        Jacobian at x.
    fvecp : array_like, shape (m,), optional
        Functions at the neighbour that mode 1 returns.
    mode : {1, 2}, default 1
        1 for the neighbour, 2 for the check.
    solver : {"builtin", "original"}, optional
        Whose routine; see the module.

    Returns
    -------
    ndarray
        In mode 1, shape (n,): ``x + sqrt(eps) * abs(x)``, or the root alone where x is 0, with MINPACK's precision
        eps. In mode 2, shape (m,): for each function 1 if its row agrees with the change to the neighbour, 0 if it does
        not, between them if in doubt.

    Notes
    -----
    The agreement is relative to the function. Mode 2 gives 0 also where a function is exactly 0 at either point, or
    does not change, and 1 where the row of `fjac` is NaN.

    References
    ----------
    ANL-80-74, routine CHKDER.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> def functions(x):
    ...     return [x[0] * x[1], x[1] ** 2]
    >>> x, wrong = [2.0, 3.0], [[3.0, 2.0], [0.0, 3.0]]
    >>> xp = kernels.chkder(x)
    >>> kernels.chkder(x, functions(x), wrong, functions(xp), mode=2).round(1)
    array([1., 0.])
    """
    given = [argument is not None for argument in (fvec, fjac, fvecp)]
    if mode not in (1, 2):
        raise ValueError(f"chkder: mode is {mode!r}; expected 1 or 2")
    if mode == 1 and any(given):
        raise TypeError("chkder: mode 1 takes x alone; fvec, fjac and fvecp are for mode=2")
    if mode == 2 and not all(given):
        raise TypeError("chkder: mode 2 needs fvec, fjac and fvecp")
    return _minpack.chkder(solver, x, fvec, fjac, fvecp)


def covar(r: ArrayLike, ipvt: ArrayLike, tol: Real = 0.0, *, solver: Solver = None) -> Covariance:
    """The covariance ``inv(A' A)`` from ``A P = Q R``.

    Parameters
    ----------
    r : array_like, shape (n, n)
        R in the upper triangle; what stands below does not matter.
    ipvt : array_like of int, shape (n,)
        The permutation P, counted from 1.
    tol : float, default 0.0
        R counts as singular from the first diagonal entry on with ``abs(r[k, k]) <= tol * abs(r[0, 0])``.
    solver : {"builtin", "original"}, optional
        Whose routine; the original has none.

    Returns
    -------
    r : ndarray, shape (n, n)
        The covariance, exactly symmetric, in the order of A's columns; zero for columns from the singular part.
    rank : int
        Columns before the singular part.

    Raises
    ------
    NotImplementedError
        If `solver` is ``"original"``.

    References
    ----------
    netlib's MINPACK, routine COVAR; it is neither in libminpack1 nor in Debian's source.

    Examples
    --------
    >>> from pyminpack import kernels
    >>> kernels.covar([[2.0, 2.0], [0.0, 1.0]], [1, 2])
    Covariance(r=array([[ 1.25, -1.  ],
           [-1.  ,  1.  ]]), rank=2)
    """
    return Covariance(*_minpack.covar(solver, r, ipvt, tol))
