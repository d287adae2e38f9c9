"""`patch_scipy`: run everything built on SciPy's MINPACK on pyminpack, in unmodified programs."""

from __future__ import annotations

import sys
from _thread import RLock  # threading.RLock, without the module, a tenth of our import time
from collections.abc import Callable
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn

from pyminpack import _import_hook, _in_scipys_place

_KNOWN = (1, 11), (1, 18)  # releases of SciPy whose sources we read and whose tests we ran


_MODULES = "scipy.optimize._minpack_py", "scipy.optimize._minpack"
_OURS = {"_lmdif": _in_scipys_place.lmdif, "_lmder": _in_scipys_place.lmder}

_lock = RLock()  # reentrant: a signal handler may patch or unpatch while its thread does
_wanted: bool | None = None  # last call: patch_scipy (True) or unpatch_scipy
# SciPy's own, of every module that was patched, never dropped, so that no interrupt can lose it.
_codes: dict[Any, CodeType] = {}  # of functions; Any, since type checkers do not let us replace __code__
_functions: dict[ModuleType, dict[str, Any]] = {}


def patch_scipy() -> None:
    """Run SciPy's `leastsq`, `curve_fit`, ``root(method="lm")`` and ``least_squares(method="lm")`` on pyminpack.

    Everything built on them in this process (lmfit, astropy, xarray, ...) follows, imported before or after: SciPy's
    function stays the same object, but runs our code. Results are those of SciPy's release, including the calls of func
    and where ``infodict['ipvt']`` counts from, with MINPACK's bits; only ``cov_x`` is computed differently. Of
    pyminpack's own warnings, only that of NaN and inf is issued. This does nothing if SciPy is already patched.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    NotImplementedError
        If SciPy's release is not supported, or its functions have been replaced by others. Nothing is patched then.

    See Also
    --------
    unpatch_scipy : Undo the patch.
    scipy_is_patched : Whether SciPy is patched.

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
    scipys = _load()  # outside the lock, since an import may wait for another thread's
    with _lock:
        if not scipy_is_patched():
            _in_scipys_place.speak(_find(*scipys))
        _settle(True)
    _import_hook.install()


def unpatch_scipy() -> None:
    """Restore SciPy's own MINPACK.

    This does nothing if SciPy is not patched. Under ``python -m pyminpack``, a later import of SciPy does not patch it.

    Examples
    --------
    >>> import pyminpack
    >>> pyminpack.unpatch_scipy()
    """
    _settle(False)


def scipy_is_patched() -> bool:
    """Whether SciPy runs on pyminpack.

    Returns
    -------
    bool
        True from `patch_scipy` to `unpatch_scipy`. Under ``python -m pyminpack`` it is False until scipy.optimize is
        imported, and then True.

    Examples
    --------
    >>> import pyminpack
    >>> pyminpack.scipy_is_patched()
    False
    """
    python, minpack = (sys.modules.get(name) for name in _MODULES)
    code = getattr(getattr(python, "leastsq", None), "__code__", None)
    functions = all(getattr(minpack, name, None) is ours for name, ours in _OURS.items())
    return functions and code is _in_scipys_place.entry.__code__


def patch_unless_unpatched() -> None:
    """`patch_scipy` after an import, unless `unpatch_scipy` was called last."""
    if _wanted is not False:
        patch_scipy()


def check_version(version: str) -> None:
    """Raise NotImplementedError if this release of SciPy is not supported."""
    if not _KNOWN[0] <= _release(version) <= _KNOWN[1]:
        low, high = (".".join(map(str, known)) for known in _KNOWN)
        raise NotImplementedError(f"patch_scipy: SciPy {version} is not supported; expected {low} to {high}")


def _settle(wanted: bool) -> None:
    """Install our functions, or restore SciPy's, also if interrupted."""
    global _wanted
    with _lock:
        _wanted = wanted
        try:
            done = None
            while done is not _wanted:  # a signal handler changed it meanwhile
                done = _wanted
                _exchange(done)
        except BaseException:
            _wanted = None if _wanted else False  # a later import may try again
            _exchange(False)
            raise


def _exchange(ours: bool) -> None:
    for leastsq, code in [*_codes.items()]:
        leastsq.__code__ = _in_scipys_place.entry.__code__ if ours else code
    for module in [*_functions, *sys.modules.values()]:  # SciPy's, and those that imported a function from it
        if _functions and isinstance(module, ModuleType):
            names = object.__getattribute__(module, "__dict__")  # does not load a lazy module
            for name, own in _functions.get(module, [*_functions.values()][-1]).items():
                old, new = (own, _OURS[name]) if ours else (_OURS[name], own)
                if names.get(name) is old:
                    names[name] = new


def _load() -> tuple[str, ModuleType, ModuleType]:
    """SciPy's version, if supported, and its modules that wrap MINPACK."""
    version: str = import_module("scipy").__version__
    check_version(version)
    python, minpack = map(import_module, _MODULES)
    return version, python, minpack


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else -1 for part in version.split(".")[:2])


def _find(version: str, python: ModuleType, minpack: ModuleType) -> _in_scipys_place.Dialect:
    """Record what is to be replaced, if all of it is as expected; return the release's dialect."""
    leastsq = getattr(python, "leastsq", None)
    if not isinstance(leastsq, FunctionType) or _arguments(leastsq) != _arguments(_in_scipys_place.entry):
        _refuse(version, "scipy.optimize.leastsq")
    functions = _functions.get(minpack) or {name: getattr(minpack, name, None) for name in _OURS}
    for name, own in functions.items():
        if not callable(own) or getattr(minpack, name, None) not in (own, _OURS[name]):
            _refuse(version, f"scipy.optimize._minpack.{name}")
    if not callable(getattr(minpack, "error", None)):
        _refuse(version, "scipy.optimize._minpack.error")
    _codes.setdefault(leastsq, leastsq.__code__)
    _functions[minpack] = functions
    # An error of both types: SciPy also raises TypeError for much that is not a vector of floats.
    error = type("error", (minpack.error, TypeError), {"__module__": minpack.error.__module__})
    return _in_scipys_place.Dialect(first_column=1 if _release(version) < (1, 15) else 0, error=error)


def _refuse(version: str, name: str) -> NoReturn:
    raise NotImplementedError(f"patch_scipy: {name} is not SciPy {version}'s own; expected it unchanged")


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    code: CodeType = function.__code__
    return code.co_varnames[: code.co_argcount]
