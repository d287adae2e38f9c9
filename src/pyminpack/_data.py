"""Convert and check curve_fit's xdata, ydata and sigma, and apply nan_policy."""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack
from pyminpack._warnings import warn

Vector = NDArray[np.float64]


class Data(NamedTuple):
    """The data to fit."""

    x: Any
    y: Vector
    sigma: NDArray[Any] | None
    where: NDArray[np.intp] | None  # the user's indices of the points left in sigma; None: all


def prepared(
    xdata: Any, ydata: ArrayLike, sigma: ArrayLike | None, check_finite: bool | None, nan_policy: str | None
) -> Data:
    """The data as float64 (xdata only if an array or sequence). SciPy's checks, in its order, with its messages."""
    _warn_of_masked({"xdata": xdata, "ydata": ydata, "sigma": sigma})
    if check_finite is None:
        check_finite = nan_policy is None
    y = _as_float("ydata", ydata, check_finite)
    if isinstance(xdata, (list, tuple, ndarray)):
        xdata = _as_float("xdata", xdata, check_finite)
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    if y.ndim > 1:
        raise TypeError(f"curve_fit: ydata has shape {y.shape}; expected one dimension (use .ravel())")
    if sigma is not None:
        sigma = _minpack.real_array("curve_fit", "sigma", "is", None, sigma)
    where = None
    if not check_finite and nan_policy is not None and not (kept := _kept(xdata, y, nan_policy)).all():
        if sigma is not None and sigma.size > 1 and set(sigma.shape) == {y.size}:  # else it has only the points kept
            sigma, where = sigma[np.ix_(*[kept] * sigma.ndim)], np.flatnonzero(kept)
        xdata, y = xdata[..., kept] if np.ndim(xdata) > 1 else xdata[kept], y[kept]
    return Data(xdata, y, sigma, where)


def mask_of(value: object) -> NDArray[np.bool_] | None:
    """The mask of a masked array; None for anything else."""
    ma: Any = sys.modules.get("numpy.ma")
    return ma.getmaskarray(value) if ma is not None and isinstance(value, ma.MaskedArray) else None


def first_nonfinite(array: NDArray[Any]) -> tuple[int, ...] | None:
    """Index of the first NaN or inf. A sum of squares shows whether there is one in a third of np.isfinite's time."""
    if math.isfinite(np.vdot(array, array)):
        return None
    return _first(~np.isfinite(array))


def entry(name: str, index: tuple[int, ...], value: Any) -> str:
    """Describe an entry, as in "ydata[4] is nan"."""
    return f"{name}{list(index) if index else ''} is {float(value):g}"


def _first(flags: NDArray[np.bool_]) -> tuple[int, ...] | None:
    return tuple(map(int, np.unravel_index(flags.argmax(), flags.shape))) if flags.any() else None


def _warn_of_masked(arguments: dict[str, Any]) -> None:
    for name, value in [*arguments.items()]:
        if isinstance(value, (list, tuple)):
            arguments |= {f"{name}[{i}]": one for i, one in enumerate(value) if isinstance(one, ndarray)}
    found = []
    for name, value in arguments.items():
        if (mask := mask_of(value)) is not None and (index := _first(mask)) is not None:
            count = np.count_nonzero(mask)
            found.append(f"{name} has {count} of {mask.size} entries masked, the first at {list(index)}")
    if found:
        warn(
            f"curve_fit: {'; '.join(found)}. Masked entries count like any other: leave these points out of xdata,"
            " ydata and sigma",
            RuntimeWarning,
        )


def _as_float(name: str, values: Any, check_finite: bool) -> Vector:
    """Convert to a float64 array as NumPy does; its errors get the name added."""
    if _is_complex(values):
        advice = " (fit real and imaginary parts side by side: np.concatenate([y.real, y.imag]))" * (name == "ydata")
        raise TypeError(f"curve_fit: {name} is complex; expected real numbers{advice}")
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):
            raise
        advice = ". To pass f several objects, use another type, such as a dict" * (name == "xdata")
        raise type(error)(f"{error} ({name} is {_unlike_an_array(values)}; expected real numbers{advice})") from error
    if check_finite and (index := first_nonfinite(array)) is not None:
        found = f"{name} is None" if values is None else entry(name, index, array[index])
        raise ValueError(f"array must not contain infs or NaNs: {found}")
    return array


def _is_complex(values: Any) -> bool:
    try:
        return bool(np.iscomplexobj(values))
    except (TypeError, ValueError):  # not convertible to an array
        return False


def _unlike_an_array(values: Any) -> str:
    """Why values do not convert to an array of floats: the first entry of a sequence that does not fit."""
    kind = type(values).__name__
    if not isinstance(values, (list, tuple)):
        return f"of type {kind}"
    shapes = []
    for i, value in enumerate(values):
        try:
            shapes.append(np.asarray(value, float).shape)
        except (TypeError, ValueError):
            return f"a {kind} whose entry [{i}] is of type {type(value).__name__}"
        if shapes[i] != shapes[0]:
            return f"a {kind} whose entries [0] and [{i}] have shapes {shapes[0]} and {shapes[i]}"
    return f"a {kind}"


def _kept(xdata: Any, y: Vector, nan_policy: str) -> NDArray[np.bool_]:
    """Mask of the points without NaN, along the last axis of xdata. With "raise", a NaN is an error."""
    if nan_policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in ("raise", "omit"):
        raise ValueError(f"nan_policy must be one of {{None, 'raise', 'omit'}}, not {nan_policy!r}")
    if not hasattr(xdata, "dtype"):
        raise TypeError(f"curve_fit: nan_policy needs an array, a list or a tuple as xdata, not {type(xdata).__name__}")
    x = np.asarray(xdata, float)  # also of a pandas Series, which f gets as it is
    x_nan, y_nan = np.isnan(x), np.isnan(y)
    if nan_policy == "raise":
        for name, array, is_nan in (("xdata", x, x_nan), ("ydata", y, y_nan)):
            if (index := _first(is_nan)) is not None:
                raise ValueError(f"The input contains nan values: {entry(name, index, array[index])}")
    if not (x_nan.any() or y_nan.any()):
        return np.array(True)
    x_nan = x_nan.any(axis=tuple(range(x.ndim - 1)))
    if x_nan.shape != y_nan.shape:
        raise ValueError(
            f"curve_fit: xdata has shape {x.shape}; expected a last axis of length {y.size}, so that nan_policy='omit'"
            " can leave points with NaN out of xdata and ydata"
        )
    kept: NDArray[np.bool_] = ~(x_nan | y_nan)
    return kept
