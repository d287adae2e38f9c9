"""NIST's StRD collection for nonlinear regression: 27 problems with certified answers.

Source: https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
The data are in nist_strd.json, one problem per line.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy.parsing.sympy_parser import parse_expr

Array = NDArray[np.float64]

MOST_DIGITS = 11        # NIST certifies 11 significant digits
RESPONSES: dict[str, Callable[[Array], Array]] = {"y": np.asarray, "log(y)": np.log}


@dataclass(frozen=True, eq=False)
class Problem:
    """One data set, its model f(b, x) and what NIST certifies about the least-squares fit.

    m observations, n parameters b1..bn; residuals are model minus response, in the unit of the response.
    """

    name: str
    level: str                      # of difficulty, as NIST grades it: lower, average, higher
    model: str                      # formula in b1..bn and the predictors
    predictors: dict[str, Array]    # name in the formula -> array of shape (m,)
    response: Array                 # shape (m,), what the model is fitted to
    starts: dict[str, Array]        # "start1" (far), "start2" (near) -> array of shape (n,)
    certified: Array                # shape (n,), the parameters
    certified_sd: Array             # shape (n,), their standard errors
    rss: float                      # certified residual sum of squares
    rsd: float                      # certified residual standard deviation, sqrt(rss / dof)
    dof: int                        # m - n

    def __str__(self) -> str:
        return self.name

    def residuals(self, b: Array) -> Array:
        """f(b, x) - response, shape (m,); an overflow becomes inf or NaN without a warning."""
        with np.errstate(all="ignore"):
            return self._functions[0](b, *self.predictors.values()) - self.response

    def jacobian(self, b: Array) -> Array:
        """df/db, shape (m, n); an overflow becomes inf or NaN without a warning."""
        with np.errstate(all="ignore"):
            columns = self._functions[1](b, *self.predictors.values())
        return np.column_stack([np.broadcast_to(column, self.response.shape) for column in columns])

    @cached_property
    def _functions(self) -> tuple[Callable[..., Array], Callable[..., list[Array]]]:
        """The model and its n derivatives as NumPy functions of (b, *predictors)."""
        b = sympy.symbols([f"b{j + 1}" for j in range(self.certified.size)])
        predictors = sympy.symbols(list(self.predictors))
        names = {str(symbol): symbol for symbol in [*b, *predictors]}
        formula = parse_expr(self.model, local_dict={**names, "arctan": sympy.atan})
        derivatives = [sympy.diff(formula, bj) for bj in b]
        arguments = [b, *predictors]
        return (sympy.lambdify(arguments, formula, "numpy"),
                sympy.lambdify(arguments, derivatives, "numpy", cse=True))


def digits(fitted: ArrayLike, certified: ArrayLike) -> Array:
    """Log relative error, the number of digits on which fitted and certified agree.

    Parameters
    ----------
    fitted, certified : array_like
        Values in the same unit, certified ones not zero.

    Returns
    -------
    ndarray
        ``-log10(|fitted - certified| / |certified|)``, at least 0 and at most 11; 0 where it is NaN.
    """
    with np.errstate(all="ignore"):
        agreement = -np.log10(np.abs(np.subtract(fitted, certified)) / np.abs(certified))
    clipped: Array = np.clip(np.nan_to_num(agreement, nan=0, posinf=MOST_DIGITS), 0, MOST_DIGITS)
    return clipped


def load(path: Path) -> list[Problem]:
    """The problems of a file like nist_strd.json, in its order."""
    return [from_facts(facts) for facts in json.loads(path.read_text(encoding="utf-8"))]


def from_facts(facts: dict[str, Any]) -> Problem:
    """The Problem that one object of the file describes."""
    return Problem(
        name=facts["name"],
        level=facts["level"],
        model=facts["model"],
        predictors={name: np.array(facts[name]) for name in ("x", "x1", "x2") if name in facts},
        response=RESPONSES[facts["response"]](np.array(facts["y"])),
        starts={name: np.array(facts[name]) for name in ("start1", "start2")},
        certified=np.array(facts["certified"]),
        certified_sd=np.array(facts["certified_sd"]),
        rss=facts["rss"],
        rsd=facts["rsd"],
        dof=facts["dof"],
    )


PROBLEMS = load(Path(__file__).with_name("nist_strd.json"))
