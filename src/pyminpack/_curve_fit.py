"""`curve_fit`: SciPy's interface for a curve through data, over `leastsq`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Literal, Unpack, cast, overload

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from pyminpack import _minpack
from pyminpack._data import Vector, mask_of, prepared
from pyminpack._leastsq import InfoDict, Options, fit
from pyminpack._names import CURVE_FIT
from pyminpack._sigma import weighing
from pyminpack._warnings import optimize_warning, warn

_Short = tuple[Vector, Vector]
_Full = tuple[Vector, Vector, InfoDict, str, int]

_UNBOUNDED = (-np.inf, np.inf)
_UNWEIGHED = (None, None, "")


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
    """Fit a function's parameters to data: `scipy.optimize.curve_fit` with its method "lm".

    Minimises ``sum(((f(xdata, *p) - ydata) / sigma)**2)`` over p, by `leastsq`.

    Parameters
    ----------
    f : callable
        ``f(xdata, *p)`` returns the m values of the curve. Each parameter is a float64 scalar.
    xdata : object
        First argument of `f`. An array, a list or a tuple becomes a float64 array; any other object is passed as is.
    ydata : array_like, shape (m,)
        Measured values, converted to float64. A single number is compared with every value of `f`.
    p0 : array_like, shape (n,), optional
        Initial guess. Default: 1 for each parameter in the signature of `f` after the first argument.
    sigma : array_like, optional
        Standard errors of `ydata`, shape (m,), or one number for all; or their covariance, shape (m, m), of which
        the lower triangle is used. Default: 1.
    absolute_sigma : bool, default False
        Whether `sigma` has the unit of `ydata`. Otherwise only its proportions matter, and `pcov` is scaled by the sum
        of squares divided by m - n.
    check_finite : bool, optional
        Whether NaN and inf in `ydata` and in an array `xdata` are an error. Default: yes, unless `nan_policy` is given.
    bounds : 2-tuple of array_like, default (-np.inf, np.inf)
        Lower and upper bounds of the parameters, which must be infinite. Or an object with ``lb`` and ``ub``.
    method : {"lm"}, optional
        Levenberg-Marquardt, the only method here.
    jac : callable, optional
        ``jac(xdata, *p)`` returns the derivatives of `f` with respect to the parameters, shape (m, n), not divided by
        `sigma`. Default: forward differences.
    full_output : bool, default False
        Whether to return all outputs.
    nan_policy : {"raise", "omit"}, optional
        What to do about NaN in `xdata` or `ydata` if `check_finite` is false: raise an error, or leave the points out,
        which are along the last axis of `xdata`. `sigma` may be for all points or for the remaining ones.
        Default: nothing.
    **kwargs : dict, optional
        Options of `leastsq`. With ``vectorized``, `f` gets parameters of shape (k, 1), so that an expression in them
        and an `xdata` of shape (m,) has the k curves as its rows; `jac` still gets scalars.

    Returns
    -------
    popt : ndarray, shape (n,)
        The parameters.
    pcov : ndarray, shape (n, n)
        Their covariance; all inf, with a warning, if it cannot be estimated. `uncertainty` tells more: call
        ``uncertainty(popt, pcov, infodict)``, with ``absolute=True`` if you passed ``absolute_sigma=True``.
    infodict : dict
        As from `leastsq`, for the residuals divided by `sigma`. Only with `full_output`.
    mesg : str
        `ier` in words. Only with `full_output`.
    ier : int
        Why the iteration stopped: 1 to 4, or -2 by ``callback``. Only with `full_output`.

    Raises
    ------
    ValueError
        If the number of parameters is unknown; if `bounds` or `method` need SciPy's curve_fit; if the data are empty,
        or not finite where that is checked; if `f` returns another number of values than `ydata` has; if `sigma` has
        the wrong shape or is not a covariance; or if `kwargs` has ``args``.
    TypeError
        If there are fewer data than parameters; if `xdata`, `ydata` or `sigma` is complex, or `ydata` has more than
        one dimension; and where `leastsq` raises it.
    RuntimeError
        If the fit does not succeed (``ier`` 5 to 8).
    Exception
        Whatever `f` and `jac` raise passes unchanged.

    Warns
    -----
    OptimizeWarning
        If `pcov` cannot be estimated: the Jacobian is exactly singular or not finite, ``callback`` ended the fit, or
        m <= n without `absolute_sigma`. SciPy's class if scipy.optimize is loaded, else `pyminpack.OptimizeWarning`.
    RuntimeWarning
        If `xdata`, `ydata` or `sigma` has masked entries, which count like any other; if an entry of `sigma` is zero or
        NaN; and where `leastsq` warns.

    Notes
    -----
    `popt` and `infodict` equal those of SciPy up to 1.14 to the bit; with a covariance as `sigma`, to rounding, since
    NumPy has no solver for triangular systems. From 1.15 on SciPy's own last digits differ. `pcov` is computed by
    SciPy's operations from the ``cov_x`` of `leastsq`, and `f` is called as often.

    Unlike SciPy: parameters are float64 in the first call, too, whatever `p0` is; a number as `sigma` works with
    `jac`, and ``col_deriv`` with `sigma`; `ydata` may be a number if `f` returns one; and with ``nan_policy="omit"``
    `sigma` may have its entries for the omitted points, as in SciPy from 1.17 on.

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
    p0 = np.ones(_count_parameters(f)) if p0 is None else _minpack.start_vector("curve_fit", "p0", p0)
    if p0.size == 0:
        raise TypeError("curve_fit: p0 is empty; expected at least one parameter")
    if bounds is not _UNBOUNDED:
        _check_unbounded(bounds)
    if method not in (None, "lm"):
        raise ValueError(f"curve_fit: method is {method!r}; expected None or 'lm' (scipy.optimize.curve_fit has more)")
    if not (jac is None or callable(jac)):
        raise TypeError(f"curve_fit: jac must be callable, not {type(jac).__name__}")
    xdata, y, sigma, where = prepared(xdata, ydata, sigma, check_finite, nan_policy)
    weigh, weigh_jacobian, cause = _UNWEIGHED if sigma is None else weighing(sigma, y.size, where)
    if "args" in kwargs:
        raise ValueError("'args' is not a supported keyword argument.")
    if y.size != 1 and p0.size > y.size:
        raise TypeError(f"The number of func parameters={p0.size} must not exceed the number of data points={y.size}")

    func: Any = partial(_residuals_at_points if kwargs.get("vectorized") else _residuals, f, xdata, y, weigh)
    func.__wrapped__ = f  # for its name in errors
    Dfun: Any = None
    if jac is not None:
        Dfun = partial(_jacobian, jac, xdata, weigh_jacobian, y.size, bool(kwargs.get("col_deriv")))
        Dfun.__wrapped__ = jac
    names = CURVE_FIT._replace(cause=cause) if cause else CURVE_FIT
    popt, pcov, infodict, mesg, ier = fit(names, func, p0, Dfun=Dfun, full_output=True, **cast(dict[str, Any], kwargs))
    if ier not in (1, 2, 3, 4, -2):  # -2: callback ended the fit
        raise RuntimeError("Optimal parameters not found: " + mesg)

    freedom = infodict["fvec"].size - p0.size
    if pcov is None or _has_nan(pcov) or not (absolute_sigma or freedom > 0):
        pcov = np.full((popt.size, popt.size), np.inf)
        warn("Covariance of the parameters could not be estimated", optimize_warning())
    elif not absolute_sigma:
        with np.errstate(all="ignore"):  # the warning of what is not finite is there already
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
            " Only scipy.optimize.curve_fit has these"
        )


def _has_nan(array: Vector) -> bool:
    return math.isnan(np.vdot(array, array))


# Functions of the module in partial, unlike functions within a function, can be pickled for another process. What the
# extension's reader is sure to refuse goes there as it is, for an error of its own shape or type.


def _residuals(f: Callable[..., Any], xdata: Any, ydata: Vector, weigh: Any, p: Vector, ndim: int = 1) -> Any:
    values = f(xdata, *p)
    if type(values) is not ndarray and (values is None or isinstance(values, (list, tuple))):
        values = _minpack.real_array("curve_fit", "f", "returned", f, values)
    try:
        fvec = values - ydata
    except (TypeError, ValueError) as error:
        shape = _minpack.real_array("curve_fit", "f", "returned", f, values).shape
        if len(shape) > ndim:
            return values
        if not str(error).startswith("operands could not be broadcast"):
            raise
        text = f"{str(error).rstrip()} (f returned an array of shape {shape}, and ydata has shape {ydata.shape})"
        raise ValueError(text) from error
    if getattr(fvec, "ndim", ndim) > ndim:
        return values
    return fvec if weigh is None else weigh(fvec)


def _residuals_at_points(f: Callable[..., Any], xdata: Any, ydata: Vector, weigh: Any, points: Vector) -> Any:
    return _residuals(f, xdata, ydata, weigh, points.T[:, :, np.newaxis], ndim=2)


def _jacobian(jac: Callable[..., Any], xdata: Any, weigh: Any, m: int, col_deriv: bool, p: Vector) -> Any:
    fjac = jac(xdata, *p)
    if weigh is None:
        return fjac
    array = _minpack.real_array("curve_fit", "jac", "returned", jac, fjac)
    if mask_of(fjac) is not None:
        array = fjac
    by_parameter = array if col_deriv else array.T
    if p.size == 1 and by_parameter.shape == (m, 1):
        by_parameter = by_parameter.T
    if m != 1 and by_parameter.shape[-1:] != (m,):
        return fjac
    return weigh(by_parameter) if col_deriv else weigh(by_parameter).T
