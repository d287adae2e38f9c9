"""`patch_scipy`: whatever leads to SciPy's MINPACK leads here, in programs that know nothing of it."""

from __future__ import annotations

import sys
from _thread import allocate_lock  # threading.Lock, whose module takes a tenth of our import
from collections.abc import Callable
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple, NoReturn

from pyminpack import _in_scipys_place

_KNOWN = (1, 11), (1, 18)  # releases of SciPy whose sources were read and whose tests were run


class _Place(NamedTuple):
    """SciPy's own, to be replaced and put back."""

    leastsq: Any  # a FunctionType, whose __code__ type checkers do not let us replace
    code: CodeType
    lmdif: Callable[..., Any]
    lmder: Callable[..., Any]


_lock = allocate_lock()
_patched: _Place | None = None


def patch_scipy() -> None:
    """Let SciPy's `leastsq`, `curve_fit`, ``root(method="lm")`` and ``least_squares(method="lm")`` run on pyminpack.

    So does what stands on them (lmfit, astropy, xarray, ...), in this process, whichever was imported first: SciPy's
    function stays the same object, but runs our code. Results are those of SciPy's release, the calls of func and
    where ``infodict['ipvt']`` counts from included, with MINPACK's bits; only ``cov_x`` is computed in another way. Of
    pyminpack's own warnings there is that of NaN and inf. Nothing happens where SciPy is patched already.

    Raises
    ------
    ImportError
        If there is no SciPy.
    NotImplementedError
        If SciPy's release is not known here, or somebody else replaced its functions. Nothing is patched then.

    See Also
    --------
    unpatch_scipy : Give SciPy back its own.
    scipy_is_patched : Whether it is.

    Examples
    --------
    >>> import pyminpack
    >>> from scipy.optimize import curve_fit
    >>> pyminpack.patch_scipy()
    >>> popt, pcov = curve_fit(lambda t, a, b: a * t + b, [0.0, 1.0, 2.0, 3.0], [1.0, 3.1, 4.9, 7.0])
    >>> popt.round(3)
    array([1.98, 1.03])
    >>> pyminpack.unpatch_scipy()
    """
    global _patched
    scipys = _load()  # outside the lock, for an import may wait for another thread's
    with _lock:
        if _patched is not None:
            return
        place, dialect = _find(*scipys)
        _in_scipys_place.speak(dialect)
        _rebind("_lmdif", place.lmdif, _in_scipys_place.lmdif)
        _rebind("_lmder", place.lmder, _in_scipys_place.lmder)
        place.leastsq.__code__ = _in_scipys_place.entry.__code__
        _patched = place


def unpatch_scipy() -> None:
    """Give SciPy back its own MINPACK.

    Nothing happens where it is not patched.

    Examples
    --------
    >>> import pyminpack
    >>> pyminpack.unpatch_scipy()
    """
    global _patched
    with _lock:
        if _patched is None:
            return
        _patched.leastsq.__code__ = _patched.code
        _rebind("_lmdif", _in_scipys_place.lmdif, _patched.lmdif)
        _rebind("_lmder", _in_scipys_place.lmder, _patched.lmder)
        _patched = None


def scipy_is_patched() -> bool:
    """Whether SciPy runs on this package.

    Returns
    -------
    bool
        True from `patch_scipy` to `unpatch_scipy`.

    Examples
    --------
    >>> import pyminpack
    >>> pyminpack.scipy_is_patched()
    False
    """
    return _patched is not None


def _load() -> tuple[str, ModuleType, ModuleType]:
    """SciPy's version, if it is known here, and its modules that lead to MINPACK."""
    version: str = import_module("scipy").__version__
    if not _KNOWN[0] <= _release(version) <= _KNOWN[1]:
        low, high = (".".join(map(str, known)) for known in _KNOWN)
        raise NotImplementedError(f"patch_scipy: SciPy {version} is not known here; expected {low} to {high}")
    return version, import_module("scipy.optimize._minpack_py"), import_module("scipy.optimize._minpack")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else -1 for part in version.split(".")[:2])


def _find(version: str, python: ModuleType, minpack: ModuleType) -> tuple[_Place, _in_scipys_place.Dialect]:
    """What is to be replaced, if all of it is what we know."""
    leastsq = getattr(python, "leastsq", None)
    if not (isinstance(leastsq, FunctionType) and _arguments(leastsq) == _arguments(_in_scipys_place.entry)):
        _refuse(version, "scipy.optimize.leastsq")
    for name in ("_lmdif", "_lmder", "error"):
        if not callable(getattr(minpack, name, None)):
            _refuse(version, f"scipy.optimize._minpack.{name}")
    # An error of both types: SciPy, too, raises TypeError for much that is no vector of floats.
    error = type("error", (minpack.error, TypeError), {"__module__": minpack.error.__module__})
    dialect = _in_scipys_place.Dialect(first_column=1 if _release(version) < (1, 15) else 0, error=error)
    return _Place(leastsq, leastsq.__code__, minpack._lmdif, minpack._lmder), dialect


def _refuse(version: str, name: str) -> NoReturn:
    raise NotImplementedError(f"patch_scipy: {name} is not SciPy {version}'s own; expected it unchanged")


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    code: CodeType = function.__code__
    return code.co_varnames[: code.co_argcount]


def _rebind(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Bind `new` in place of `old` wherever a module has it under its name: in SciPy, or imported from there."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            names = object.__getattribute__(module, "__dict__")  # which loads no module that waits for its first use
            if names.get(name) is old:
                names[name] = new
