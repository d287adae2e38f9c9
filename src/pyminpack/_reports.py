"""`warn_of`: issue the extension's reports on a fit as warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pyminpack._names import CURVE_FIT, TOLD, Names
from pyminpack._warnings import is_ignored, warn

Masked = tuple[Literal["masked"], str, int, int, int, int]
NotFinite = tuple[Literal["not finite"], str, str | None, int, int]
ZeroColumns = tuple[Literal["zero columns"], list[int], list[float] | None, int]
Stuck = tuple[Literal["stuck"], int, float, float, int, int, str | None, int, int]
Report = Masked | NotFinite | ZeroColumns | Stuck

_NAMED = 8  # most parameters named in one warning

_last: tuple[tuple[Report, Names] | None, str] = None, ""  # the last report, its names and its text


def warn_of(reports: Iterable[Report], names: Names, also: str | None = None) -> None:
    """Warn of reports; `also` as for `warn`.

    Making a text takes as long as a small fit, so it is skipped if ignored, and reused for the same report, as fits in
    a loop repeat it (the default filter shows the first).
    """
    global _last
    if is_ignored(RuntimeWarning):
        return
    for report in reports:
        last, text = _last
        if last != (report, names):
            text = describe(report, names)
            _last = (report, names), text
        warn(text, RuntimeWarning, also)


def warn_of_told(reports: Iterable[Report]) -> None:
    """The same for LevenbergMarquardt."""
    warn_of(reports, TOLD)


def describe(report: Report, names: Names) -> str:
    """Text of the warning for a report, whose entries reports.h describes; it begins with the caller."""
    return f"{names.caller}: {_text(report, names)}"


def _text(report: Report, names: Names) -> str:
    match report:
        case ("masked", role, count, size, index, call):
            return _masked(role, count, size, index, call, names)
        case ("not finite", what, origin, index, call):
            return _not_finite(what, origin, index, call, names)
        case ("zero columns", columns, steps, moved):
            return _zero_columns(columns, steps, bool(moved), names)
        case ("stuck", column, cosine, step, moved, has_Dfun, origin, index, call):
            source = None if origin is None else _source(origin, index, call, names)
            return _stuck(column, cosine, step, bool(moved), bool(has_Dfun), source, names)


def _gave(role: str) -> str:
    return "tell was given" if role == "tell" else f"{role} returned"


def _masked(role: str, count: int, size: int, index: int, call: int, names: Names) -> str:
    if names.caller == CURVE_FIT.caller:
        advice = "Leave these points out of xdata, ydata and sigma"
    else:
        advice = "Leave them out by .compressed(), or make them zero by .filled(0)"
    return (
        f"{_gave(role)} a masked array in call {call}: {count} of its {size} entries are masked, the first at index"
        f" {index}; they count like any other. {advice}"
    )


def _not_finite(what: str, origin: str | None, index: int, call: int, names: Names) -> str:
    if names.cause:
        return (
            f"{names.cause}, so that the residuals are not finite and nothing can be fitted. Leave such points out, or"
            " give their standard errors"
        )
    what = {"x": names.x, "cov_x": names.cov_x}.get(what, what)
    if origin is None:
        gave = "tell was given" if names is TOLD else f"{names.func} and {names.Dfun} returned"
        return f"{what} is not finite, though {gave} finite numbers only"
    return f"{what} is not finite; {_source(origin, index, call, names)}"


def _source(origin: str, index: int, call: int, names: Names) -> str:
    """Where the first NaN or inf came from."""
    if origin == "factor":
        return "factor is NaN"
    source = {"x0": names.x0, "diag": "diag"}.get(origin, f"what {_gave(origin)} in call {call}")
    return f"the first NaN or inf is at index {index} of {source}"


def _zero_columns(columns: Sequence[int], steps: Sequence[float] | None, moved: bool, names: Names) -> str:
    func, x = names.func, names.x
    listed = _listed([f"{x}[{j}]" for j in columns])
    said = f"in the last Jacobian all derivatives with respect to {listed} are exactly zero, but the residuals are not"
    if steps is not None:
        said += f": none changed in a difference step of {_listed([f'{step:.3g}' for step in steps])}"
    if moved:
        said += f"; they moved before, perhaps to where {func} no longer depends on them, such as beyond a bound"
    else:
        said += f"{';' if steps is None else ', so'} the fit could not move them"
    if steps is None:
        return f"{said}. {'Otherwise check' if moved else 'Check'} these columns of {names.Dfun}"
    return (
        f"{said}. {'Otherwise compute' if moved else 'Compute'} in float64 throughout {func}, without rounding,"
        f" caching, or an index or threshold that depends on {x}; or take larger steps: they are sqrt(epsfcn) times the"
        f" larger of abs({x}) and typical_x"
    )


def _stuck(
    column: int, cosine: float, step: float, moved: bool, has_Dfun: bool, source: str | None, names: Names
) -> str:
    func, Dfun, x0, x = names.func, names.Dfun, names.x0, names.x
    said = (
        f"{x} {'moved, but it' if moved else f'never moved, but {x0}'} is not a minimum by the Jacobian: the cosine"
        f" between the residuals and its column {column}, of {x}[{column}], is {cosine:.2g}, and the Gauss-Newton step"
        f" is {step:.2g} times {x}"
    )
    if not moved:
        said += ", yet no shorter step along it reduced the sum of squares"
    if source is not None:
        return f"{said}. Trial points may lie outside the domain of {func}: {source}"
    if has_Dfun:
        subject = f"{Dfun[0].upper()}{Dfun[1:]}" if names is TOLD else Dfun
        mistake = f"{subject} may have the wrong sign or another mistake (see check_jacobian)"
    else:
        mistake = f"The difference step may be wrong: take float64 throughout {func}, a larger epsfcn, or pass {Dfun}"
    small = (
        f"{x0} may be so small that the first step, at most factor times {x0}, changes nothing: set typical_x to the"
        f" usual size of {x}, or a larger factor"
    )
    return f"{said}. {small}. {mistake}" if moved and not has_Dfun else f"{said}. {mistake}. Or {small}"


def _listed(names: Sequence[str]) -> str:
    """The names, separated by commas; of many, only the first."""
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_NAMED])} and {more} more"
