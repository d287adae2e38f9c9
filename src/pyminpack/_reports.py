"""`describe`: what the extension reports of a fit besides its numbers, in words for a warning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Masked = tuple[Literal["masked"], str, int, int, int, int]
NotFinite = tuple[Literal["not finite"], str, str | None, int, int]
ZeroColumns = tuple[Literal["zero columns"], list[int], list[float] | None, int]
Stuck = tuple[Literal["stuck"], int, float, float, int, str | None, int, int]
Report = Masked | NotFinite | ZeroColumns | Stuck

_NAMED = 8  # parameters at most in one warning


def describe(report: Report, caller: str = "leastsq") -> str:
    """The text of the warning for a report of reports.h, where the entries are described; it begins with the caller."""
    return f"{caller}: {_text(report, told=caller == 'LevenbergMarquardt')}"


def _text(report: Report, told: bool) -> str:
    Dfun = "the Jacobian" if told else "Dfun"
    match report:
        case ("masked", role, count, size, index, call):
            return _masked(role, count, size, index, call)
        case ("not finite", what, origin, index, call):
            return _not_finite(what, origin, index, call, told)
        case ("zero columns", columns, steps, moved):
            return _zero_columns(columns, steps, bool(moved), Dfun)
        case ("stuck", column, cosine, step, has_Dfun, origin, index, call):
            source = None if origin is None else _source(origin, index, call)
            return _stuck(column, cosine, step, Dfun if has_Dfun else None, source)


def _gave(role: str) -> str:
    return "tell was given" if role == "tell" else f"{role} returned"


def _masked(role: str, count: int, size: int, index: int, call: int) -> str:
    return (
        f"{_gave(role)} a masked array in call {call}, of whose {size} entries {count} are masked, the first"
        f" at index {index}; they count like any other. Leave them out by .compressed(), or make them zero by"
        " .filled(0)"
    )


def _not_finite(what: str, origin: str | None, index: int, call: int, told: bool) -> str:
    if origin is None:
        gave = "tell was given" if told else "func and Dfun returned"
        return f"{what} is not finite, though {gave} finite numbers only"
    return f"{what} is not finite; {_source(origin, index, call)}"


def _source(origin: str, index: int, call: int) -> str:
    """Where the first NaN or inf came from."""
    if origin == "factor":
        return "factor is NaN"
    source = origin if origin in ("x0", "diag") else f"what {_gave(origin)} in call {call}"
    return f"the first NaN or inf is at index {index} of {source}"


def _zero_columns(columns: Sequence[int], steps: Sequence[float] | None, moved: bool, Dfun: str) -> str:
    names = _listed([f"x[{j}]" for j in columns])
    said = f"in the last Jacobian the derivatives by {names} are all exactly zero, but the residuals are not"
    if steps is not None:
        said += f": none changed in a difference step of {_listed([f'{step:.3g}' for step in steps])}"
    if moved:
        said += "; they moved before, perhaps to where func does not depend on them any more, as beyond a bound"
    else:
        said += f"{';' if steps is None else ', so'} the fit could not move them"
    if steps is None:
        return f"{said}. {'Else check' if moved else 'Check'} these columns of {Dfun}"
    return (
        f"{said}. {'Else compute' if moved else 'Compute'} in float64 all through func, without rounding, caching, or"
        " an index or threshold made of x; or take larger steps by epsfcn (they are sqrt(epsfcn)*abs(x), so let x have"
        " its typical size)"
    )


def _stuck(column: int, cosine: float, step: float, Dfun: str | None, source: str | None) -> str:
    if source is not None:
        cause = f"Trial points may lie outside of func's domain: {source}"
    elif Dfun is not None:
        subject = Dfun[0].upper() + Dfun[1:]
        cause = f"{subject} may have the wrong sign or another mistake (pyminpack.check_jacobian tells)"
    else:
        cause = "The difference step may be wrong (try a larger epsfcn, and float64 all through func)"
    return (
        "x is still x0, but that is no minimum by the Jacobian: the cosine between the residuals and its"
        f" column {column}, of x[{column}], is {cosine:.2g}, and its Gauss-Newton step is {step:.2g} of x, yet no"
        f" shorter step along it made the sum of squares less. {cause}, or the Jacobian is nearly singular at this x0"
    )


def _listed(names: Sequence[str]) -> str:
    """The names in a row, without the last ones of many."""
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_NAMED])} and {more} more"
