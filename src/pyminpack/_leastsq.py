"""`leastsq`: SciPy's interface over MINPACK's drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NotRequired, SupportsFloat, SupportsIndex, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack
from pyminpack._callback import by_keyword
from pyminpack._nonfinite import refusal
from pyminpack._reports import describe
from pyminpack._warnings import warn
from pyminpack._workers import Evaluator, Workers, evaluator

Real = SupportsFloat | SupportsIndex


class InfoDict(TypedDict):
    """What `leastsq` tells of its course; the keys are described there."""

    fvec: NDArray[np.float64]
    nfev: int
    njev: NotRequired[int]
    fjac: NDArray[np.float64]
    ipvt: NDArray[np.int32]
    qtf: NDArray[np.float64]


class Options(TypedDict, total=False):
    """The options of `leastsq`, for type checkers; they are described there."""

    col_deriv: int
    ftol: Real
    xtol: Real
    gtol: Real
    maxfev: SupportsIndex
    epsfcn: Real | None
    factor: Real
    diag: ArrayLike | None
    solver: Literal["builtin", "original"] | None
    callback: Callable[..., Any] | None
    vectorized: bool
    workers: Workers | None
    nonfinite: Literal["propagate", "raise"]
    typical_x: ArrayLike | None


_Short = tuple[NDArray[np.float64], int]
_Full = tuple[NDArray[np.float64], NDArray[np.float64] | None, InfoDict, str, int]


@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: Literal[False, 0] = False,
    *more: Any,
    **options: Unpack[Options],
) -> _Short: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    *,
    full_output: Literal[True, 1],
    **options: Unpack[Options],
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any,
    Dfun: Callable[..., Any] | None,
    full_output: Literal[True, 1],
    *more: Any,
    **options: Unpack[Options],
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: int = False,
    *more: Any,
    **options: Unpack[Options],
) -> _Short | _Full: ...
def leastsq(  # type: ignore[misc]  # the overloads' *more: options by position, which type checkers take unchecked
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: int = False,
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
    *,
    solver: Literal["builtin", "original"] | None = None,
    callback: Callable[..., Any] | None = None,
    vectorized: bool = False,
    workers: Workers | None = None,
    nonfinite: Literal["propagate", "raise"] = "propagate",
    typical_x: ArrayLike | None = None,
) -> _Short | _Full:
    """Minimise the sum of squares of a set of functions.

    Finds ``argmin(sum(func(x)**2))`` over x by MINPACK's Levenberg-Marquardt method, from the start `x0`.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns the m residuals, real, as a vector (a scalar counts as one residual): an array
        whose dtype casts safely to float64, or a list, whose entries may also be numbers of another package. x is a
        float64 array of shape (n,), m must not be less than n, and m must be the same in every call.
    x0 : array_like
        Start, n numbers that cast safely to float64; any shape, flattened in C order. It is not changed.
    args : tuple, default ()
        Further arguments of `func` and `Dfun`; anything but a tuple is passed as the only one.
    Dfun : callable, optional
        ``Dfun(x, *args)`` returns the Jacobian of `func`, shape (m, n), entry (i, j) the derivative of residual i by
        x[j]. By default derivatives are forward differences, each Jacobian n more calls of `func`.
    full_output : bool, default False
        Whether to return all outputs.
    col_deriv : bool, default False
        Whether `Dfun` returns the transposed Jacobian, shape (n, m), which is copied faster.
    ftol : float, default 1.49012e-8
        Stop if the actual and predicted relative reductions of the sum of squares are at most this. Not negative.
    xtol : float, default 1.49012e-8
        Stop if the relative error between two iterates is at most this. Not negative.
    gtol : float, default 0.0
        Stop if the cosine of the angle between the residuals and every column of the Jacobian is at most this in
        absolute value. Not negative.
    maxfev : int, default 0
        Number of calls of `func` after which to stop. 0 or less means 200*(n + 1), or 100*(n + 1) with `Dfun`. It is
        compared after a step only, so that the Jacobian's differences may pass it by up to n.
    epsfcn : float, optional
        Relative error of the residuals; forward differences step by ``sqrt(epsfcn)*abs(x)``. Default: the machine
        epsilon of the type that `func` returns first. Less than float64's counts as float64's.
    factor : float, default 100
        Bound on the first step, relative to ``norm(diag*x)`` (or absolute where that is 0). Positive.
    diag : array_like, shape (n,), optional
        Positive scale factors of the variables. Default: the norms of the Jacobian's columns, the largest met.
    solver : {"builtin", "original"}, optional
        ``"original"``: MINPACK's own Fortran, where the build has it (`show_config` tells); the results are the same,
        to the bit. Default: what the environment variable ``PYMINPACK_SOLVER`` names, else ``"builtin"``. MINPACK's own
        drivers can do nothing of what follows, and NotImplementedError says so.
    callback : callable, optional
        Called as ``callback(intermediate_result=r)`` after every trial step, where this is the name of its only
        parameter (SciPy's convention); else as ``callback(x)``. `r` has the attributes of `LevenbergMarquardt`; arrays
        are copies. If it raises StopIteration, the fit ends with the best x so far and `ier` -2; any other exception
        passes.
    vectorized : bool, default False
        `func` takes points of shape (k, n) and returns residuals of shape (k, m), so that the n points of a Jacobian
        are one call. Points come first, other than in SciPy's differential_evolution. The bits are the same where
        `func` computes a row as it would by itself.
    workers : int or map-like callable, optional
        Who evaluates `func` at the points of a Jacobian: as many processes, -1 for all cores; or what
        ``workers(func, points)`` does, such as the `map` of a pool or of an executor. `nfev` and the bits are the same.
    nonfinite : {"propagate", "raise"}, default "propagate"
        ``"raise"`` ends the fit at the first NaN or inf that a function returns with `NonFiniteError`.
    typical_x : float or array_like, shape (n,), optional
        Sizes below which x does not count as small: positive numbers. The step of a difference becomes
        ``sqrt(epsfcn) * max(abs(x), typical_x)``, which helps where a parameter starts at 0 or nearly. Default:
        MINPACK's ``sqrt(epsfcn) * abs(x)``, and ``sqrt(epsfcn)`` where x is 0.

    Returns
    -------
    x : ndarray, shape (n,)
        The solution, or the best point reached.
    cov_x : ndarray, shape (n, n), or None
        Inverse of ``J.T @ J`` with J the last Jacobian. Times the variance of the residuals it is the covariance of x.
        None if `ier` is not 1 to 4, or where J is exactly singular. Only with `full_output`.
    infodict : dict
        Only with `full_output`:

        ``fvec`` : ndarray, shape (m,)
            Residuals at x.
        ``nfev`` : int
            Calls of `func`.
        ``njev`` : int
            Calls of `Dfun`; only with `Dfun`.
        ``fjac`` : ndarray, shape (n, m)
            Its transpose holds, in the upper triangle, R of the factorisation ``J P = Q R`` with diagonal of
            non-increasing size, and Q in the form of Householder vectors below it.
        ``ipvt`` : ndarray of int32, shape (n,)
            Column j of J P is column ``ipvt[j]`` of J, counted from 1.
        ``qtf`` : ndarray, shape (n,)
            First n entries of ``Q.T @ fvec``.
    mesg : str
        `ier` in words. Only with `full_output`.
    ier : int
        Why the iteration stopped: 1 by ftol, 2 by xtol, 3 by both, 4 by gtol; 5 by maxfev; 6, 7, 8: ftol, xtol or gtol
        ask for more than the machine's precision. 1 to 4 mean success. 0 (with `full_output` only): improper input.
        -2: `callback` ended it.

    Raises
    ------
    TypeError
        If `func` or `Dfun` is not callable or returns what does not cast safely to float64, has the wrong number of
        dimensions or, for `Dfun`, the wrong shape; if there are fewer residuals than variables; if `x0` does not cast
        safely to float64; if an option has the wrong type; and, without `full_output`, where ier is 0: a negative
        tolerance, a `factor` or an entry of `diag` that is not positive, or an empty `x0`.
    ValueError
        If `diag` has not the length of `x0`, if `func` returns another number of residuals than in its first call, if
        `solver` is no solver's name; if `typical_x` is not positive; and if two keywords ask for what cannot happen:
        `workers` or `typical_x` with `Dfun`, `workers` with `vectorized`.
    ImportError
        If `solver` is not in this build.
    NotImplementedError
        If `solver` is the original, for `callback`, `vectorized`, `workers`, `nonfinite` and `typical_x`.
    NonFiniteError
        With ``nonfinite="raise"``; a FloatingPointError.
    OverflowError
        If `maxfev` or the number of variables or residuals does not fit a C int.
    MemoryError
        If the m x n Jacobian does not fit in memory.
    Exception
        Whatever `func` and `Dfun` raise passes unchanged.

    Warns
    -----
    RuntimeWarning
        Where `ier` is 5 to 8, without `full_output`. And, with or without it: where the returned x, fvec or cov_x is
        not finite; where `func` or `Dfun` returned a masked array with masked entries, which count like any other; and
        where `ier` is 1 to 4 though a column of the last Jacobian is exactly zero and the residuals are not (unless
        that of a difference whose parameter, and with it the step, fell to 0.01 of its start or less), or though x is
        `x0` to the bit, a column's cosine with the residuals exceeds 0.01 and the Gauss-Newton step 1e-6 of x
        (and, where m = n, a change of x by its own size would change the residuals' norm by more than 0.001 of it).
        The numbers are the same as without these warnings.

    References
    ----------
    J. J. Moré, *The Levenberg-Marquardt algorithm: implementation and theory*, Lecture Notes in Mathematics 630, 1978.
    J. J. Moré, B. S. Garbow, K. E. Hillstrom, *User guide for MINPACK-1*, ANL-80-74, 1980.

    Examples
    --------
    The lowest point of a parabola:

    >>> from pyminpack import leastsq
    >>> leastsq(lambda x: 2*(x-3)**2 + 1, 0)
    (array([2.99999999]), 1)

    An exponential decay through five points, with standard errors:

    >>> import numpy as np
    >>> t = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    >>> y = np.array([5.1, 2.9, 1.9, 1.1, 0.6])
    >>> def residuals(p, t, y):
    ...     amplitude, rate = p
    ...     return amplitude * np.exp(-rate * t) - y
    >>> x, cov_x, infodict, mesg, ier = leastsq(residuals, [1.0, 1.0], args=(t, y), full_output=True)
    >>> x.round(3)
    array([5.066, 0.518])
    >>> variance = np.sum(infodict["fvec"] ** 2) / (t.size - x.size)
    >>> np.sqrt(np.diag(cov_x) * variance).round(3)
    array([0.091, 0.018])
    """
    if not callable(func):
        raise TypeError(f"leastsq: func must be callable, not {type(func).__name__}")
    if not (Dfun is None or callable(Dfun)):
        raise TypeError(f"leastsq: Dfun must be callable, not {type(Dfun).__name__}")
    if not isinstance(args, tuple):
        args = (args,)
    evaluate = refusing = None
    if not (callback is None and workers is None and typical_x is None and nonfinite == "propagate"):
        if callback is not None:
            callback = by_keyword(callback)
        refusing = refusal(nonfinite)
        evaluate = evaluator(workers, func, args)
        _check_together(Dfun, vectorized, evaluate, typical_x)
    arguments = (
        "leastsq", func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag, solver,
        typical_x, callback, vectorized, evaluate, refusing,
    )  # fmt: skip
    if evaluate is None:
        outcome = _minpack.leastsq(*arguments)
    else:
        with evaluate:  # not around a plain fit: CPython 3.11 cannot enter such a block's end where memory is out
            outcome = _minpack.leastsq(*arguments)
    x, ier, infodict, cov_x, mesg, reports = outcome
    for report in reports or ():
        warn(describe(report), RuntimeWarning)
    if infodict is not None:
        assert mesg is not None
        return x, cov_x, infodict, mesg, ier
    if ier == 0:
        raise TypeError(mesg)
    if mesg is not None:
        warn(mesg, RuntimeWarning)
    return x, ier


def _check_together(
    Dfun: Callable[..., Any] | None, vectorized: bool, evaluate: Evaluator | None, typical_x: ArrayLike | None
) -> None:
    """Refuse keywords that ask for what cannot happen."""
    for name, other, conflict in (
        ("workers", "Dfun", evaluate is not None and Dfun is not None),
        ("workers", "vectorized", evaluate is not None and vectorized),
        ("typical_x", "Dfun", typical_x is not None and Dfun is not None),
    ):
        if conflict:
            raise ValueError(f"leastsq: {name} is for difference Jacobians by single calls, which {other} does without")
