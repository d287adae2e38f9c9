"""`curve_fit`: SciPy's interface for a curve through data, over `leastsq`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack._leastsq import InfoDict, Options, leastsq
from pyminpack._sigma import weighing
from pyminpack._warnings import optimize_warning, warn

Vector = NDArray[np.float64]
_Short = tuple[Vector, Vector]
_Full = tuple[Vector, Vector, InfoDict, str, int]

_UNBOUNDED = (-np.inf, np.inf)


class _Options(Options, total=False):
    """The keywords of `curve_fit` from sigma on, for type checkers."""

    sigma: ArrayLike | None
    absolute_sigma: bool
    check_finite: bool | None
    bounds: Any
    method: Literal["lm"] | None
    jac: Callable[..., Any] | None
    nan_policy: Literal["raise", "omit"] | None


@overload
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    *more: Any,
    full_output: Literal[False, 0] = False,
    **kwargs: Unpack[_Options],
) -> _Short: ...
@overload
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    *more: Any,
    full_output: Literal[True, 1],
    **kwargs: Unpack[_Options],
) -> _Full: ...
@overload
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    *more: Any,
    full_output: int,
    **kwargs: Unpack[_Options],
) -> _Short | _Full: ...
def curve_fit(  # type: ignore[misc]  # the overloads' *more: arguments by position, which type checkers take unchecked
    f: Callable[..., Any],
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = _UNBOUNDED,
    method: Literal["lm"] | None = None,
    jac: Callable[..., Any] | None = None,
    *,
    full_output: int = False,
    nan_policy: Literal["raise", "omit"] | None = None,
    **kwargs: Unpack[Options],
) -> _Short | _Full:
    """Fit a function's parameters to data: `scipy.optimize.curve_fit` for its method "lm".

    Finds the p for which ``sum(((f(xdata, *p) - ydata) / sigma)**2)`` is least, by `leastsq`.

    Parameters
    ----------
    f : callable
        ``f(xdata, *p)`` returns the m values of the curve, each parameter a float64 scalar.
    xdata : object
        What `f` is called with. An array, a list or a tuple becomes a float64 array, anything else is passed as it is.
    ydata : array_like, shape (m,)
        The measured values, converted to float64. A single one is compared with each value of `f`.
    p0 : array_like, shape (n,), optional
        Start. Default: 1 for each parameter that the signature of `f` names after the first.
    sigma : array_like, optional
        The standard errors of `ydata`, shape (m,), or one number for all; or their covariance, shape (m, m), of which
        the lower triangle is read. Default: 1.
    absolute_sigma : bool, default False
        Whether `sigma` is in the unit of `ydata`. Else only its proportions matter, and `pcov` is scaled by the sum of
        squares over m - n.
    check_finite : bool, optional
        Whether to refuse NaN and infinity in `xdata` (if an array) and `ydata`. Default: if `nan_policy` is None.
    bounds : 2-tuple of array_like, default (-np.inf, np.inf)
        Lower and upper bounds of the parameters; all must be infinite. An object with ``lb`` and ``ub`` will do.
    method : {"lm"}, optional
        Levenberg-Marquardt, the only one here.
    jac : callable, optional
        ``jac(xdata, *p)`` returns the derivatives of `f` by the parameters, shape (m, n); they are divided by `sigma`
        here. By default derivatives are forward differences.
    full_output : bool, default False
        Whether to return all outputs.
    nan_policy : {"raise", "omit"}, optional
        Where `check_finite` is not true: raise an error if there is a NaN in `xdata` or `ydata`, or leave out the
        points that have one, which are along the last axis of `xdata`. By default nothing is done about them.
    **kwargs : dict, optional
        Options of `leastsq`. With ``vectorized`` the parameters that `f` gets are of shape (k, 1), so that an
        expression in them and an `xdata` of shape (m,) has the k curves as its rows; `jac` gets scalars as ever.

    Returns
    -------
    popt : ndarray, shape (n,)
        The parameters.
    pcov : ndarray, shape (n, n)
        Their covariance; all inf where it cannot be estimated, of which a warning tells. `uncertainty` tells more.
    infodict : dict
        As `leastsq` returns it, of the residuals divided by `sigma`. Only with `full_output`.
    mesg : str
        `ier` in words. Only with `full_output`.
    ier : int
        1 to 4: why the iteration stopped; -2: by ``callback``. Only with `full_output`.

    Raises
    ------
    ValueError
        If the number of parameters is not known; if `bounds` or `method` ask for what only SciPy's curve_fit has; if
        the data are empty, or not finite where they are checked; if `sigma` has the wrong shape or is no covariance; or
        if `kwargs` has ``args``.
    TypeError
        If there are fewer data than parameters, and where `leastsq` raises it.
    RuntimeError
        If the fit does not succeed: ``ier`` is 5 to 8.
    Exception
        Whatever `f` and `jac` raise passes unchanged.

    Warns
    -----
    OptimizeWarning
        Where `pcov` cannot be estimated: the Jacobian is exactly singular or not finite, ``callback`` ended the fit, or
        m <= n without `absolute_sigma`. SciPy's class if scipy.optimize is loaded, else `pyminpack.OptimizeWarning`.
    RuntimeWarning
        Where `leastsq` doubts a fit; its text names x for p, and the entries of `infodict`.

    Notes
    -----
    `popt` and `infodict` equal SciPy's to the bit, except for a covariance as `sigma`, where they agree to rounding:
    the residuals are solved for by NumPy, which has no solver for triangular systems.
    `pcov` is made by SciPy's operations from the ``cov_x`` of `leastsq`, and `f` is called as often.

    Other than in SciPy, parameters are float64 in the first call, too, whatever `p0` is; a number as `sigma` goes with
    `jac`, ``col_deriv`` with `sigma`, and `ydata` may be a number where `f` returns one.

    Examples
    --------
    >>> import numpy as np
    >>> from pyminpack import curve_fit
    >>> t = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    >>> y = np.array([5.1, 2.9, 1.9, 1.1, 0.6])
    >>> def decay(t, amplitude, rate):
    ...     return amplitude * np.exp(-rate * t)
    >>> popt, pcov = curve_fit(decay, t, y)
    >>> popt.round(3), np.sqrt(np.diag(pcov)).round(3)
    (array([5.066, 0.518]), array([0.091, 0.018]))
    """
    if not callable(f):
        raise TypeError(f"curve_fit: f must be callable, not {type(f).__name__}")
    p0 = np.ones(_count_parameters(f)) if p0 is None else np.asarray(p0)
    if bounds is not _UNBOUNDED:
        _check_unbounded(bounds)
    if method not in (None, "lm"):
        raise ValueError(f"curve_fit: method is {method!r}, expected None or 'lm'; scipy.optimize.curve_fit has more")
    if not (jac is None or callable(jac)):
        raise TypeError(f"curve_fit: jac must be callable, not {type(jac).__name__}")
    xdata, y = _data(xdata, ydata, check_finite, nan_policy)
    weigh = None if sigma is None else weighing(np.asarray(sigma), y.size)
    if "args" in kwargs:
        raise ValueError("'args' is not a supported keyword argument.")
    if y.size != 1 and p0.size > y.size:
        raise TypeError(f"The number of func parameters={p0.size} must not exceed the number of data points={y.size}")

    func = partial(_residuals_at_points if kwargs.get("vectorized") else _residuals, f, xdata, y, weigh)
    Dfun = None if jac is None else partial(_jacobian, jac, xdata, weigh, bool(kwargs.get("col_deriv")))
    popt, pcov, infodict, mesg, ier = leastsq(func, p0, Dfun=Dfun, full_output=True, **kwargs)
    if ier not in (1, 2, 3, 4, -2):  # -2: callback ended the fit
        raise RuntimeError("Optimal parameters not found: " + mesg)

    freedom = infodict["fvec"].size - p0.size
    if pcov is None or _has_nan(pcov) or not (absolute_sigma or freedom > 0):
        pcov = np.full((popt.size, popt.size), np.inf)
        warn("Covariance of the parameters could not be estimated", optimize_warning())
    elif not absolute_sigma:
        pcov = pcov * (np.add.reduce(np.square(infodict["fvec"])) / freedom)
    return (popt, pcov, infodict, mesg, ier) if full_output else (popt, pcov)


def _count_parameters(f: Callable[..., Any]) -> int:
    """How many parameters the signature of f names after the first; inspect, slow to import, where that is hidden."""
    function = f.__func__ if isinstance(f, MethodType) else f
    if type(function) is FunctionType and not function.__dict__:  # which may hold a signature, or what is wrapped
        n = function.__code__.co_argcount - 1 - (function is not f)
        if n > 0:
            return n
    import inspect

    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    n = sum(parameter.kind in positional for parameter in inspect.signature(f).parameters.values()) - 1
    if n < 1:
        raise ValueError("Unable to determine number of fit parameters.")
    return n


def _check_unbounded(bounds: Any) -> None:
    lower, upper = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    if np.any(np.asarray(lower, float) > -np.inf) or np.any(np.asarray(upper, float) < np.inf):
        raise ValueError(
            "Method 'lm' only works for unconstrained problems. Use 'trf' or 'dogbox' instead."
            " curve_fit has not got these; scipy.optimize.curve_fit has"
        )


def _data(xdata: Any, ydata: ArrayLike, check_finite: bool | None, nan_policy: str | None) -> tuple[Any, Vector]:
    """The data as float64, where xdata is an array or a sequence, without what nan_policy omits."""
    if check_finite is None:
        check_finite = nan_policy is None
    convert = _finite if check_finite else np.asarray
    y = convert(ydata, float)
    if isinstance(xdata, (list, tuple, np.ndarray)):
        xdata = convert(xdata, float)
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    if check_finite or nan_policy is None:
        return xdata, y

    if nan_policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in ("raise", "omit"):
        raise ValueError(f"nan_policy must be one of {{None, 'raise', 'omit'}}, not {nan_policy!r}")
    if not hasattr(xdata, "dtype"):
        raise TypeError(f"curve_fit: nan_policy needs an array, a list or a tuple as xdata, not {type(xdata).__name__}")
    x = np.asarray(xdata, float)  # of a pandas Series, too, which f gets as it is
    x_nan, y_nan = np.isnan(x).any(axis=tuple(range(x.ndim - 1))), np.isnan(y)
    if not (x_nan.any() or y_nan.any()):
        return xdata, y
    if nan_policy == "raise":
        raise ValueError("The input contains nan values")
    kept = ~(x_nan | y_nan)
    return (xdata[kept] if x.ndim == 1 else xdata[..., kept]), y[kept]


# A sum of squares is not finite, or NaN, if an entry is: for small arrays that takes a third of the time of
# np.isfinite(...).all(). Where it overflows, NumPy looks at each entry.


def _finite(values: ArrayLike, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(values, dtype)
    return array if math.isfinite(np.vdot(array, array)) else np.asarray_chkfinite(array)


def _has_nan(array: Vector) -> bool:
    return math.isnan(np.vdot(array, array))


# Functions of the module in partial, unlike functions within a function, can be pickled for another process.


def _residuals(f: Callable[..., Any], xdata: Any, ydata: Vector, weigh: Any, p: Vector) -> Any:
    fvec = f(xdata, *p) - ydata
    return fvec if weigh is None else weigh(fvec)


def _residuals_at_points(f: Callable[..., Any], xdata: Any, ydata: Vector, weigh: Any, points: Vector) -> Any:
    return _residuals(f, xdata, ydata, weigh, points.T[:, :, np.newaxis])


def _jacobian(jac: Callable[..., Any], xdata: Any, weigh: Any, col_deriv: bool, p: Vector) -> Any:
    fjac = jac(xdata, *p)
    if weigh is None:
        return fjac
    fjac = np.asarray(fjac)
    return weigh(fjac) if col_deriv else weigh(fjac.T).T
