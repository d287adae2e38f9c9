"""The whole algorithm of MINPACK's lmdif in Python, on MINPACK's own routines.

    python levenberg_marquardt.py      fits the data of quickstart.py by each solver of this build, and exits with 1
                                       unless every output has the bits of leastsq

To be read beside J. J. Moré, *The Levenberg-Marquardt algorithm: implementation and theory*, 1978, whose sections are
named. Its symbols: x the variables, fvec the residuals, J their Jacobian, D = diag(diag) the scaling, p the step, delta
the bound on norm(D p), par the Levenberg-Marquardt parameter; J P = Q R is the factorisation with pivots.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import kernels, leastsq, show_config

Array: TypeAlias = NDArray[np.float64]
EPSMCH = 2.22044604926e-16  # the machine's precision, with MINPACK's twelve digits


def lmdif(
    fcn: Callable[[Array], Array], x0: ArrayLike, ftol: float = 1.49012e-8, xtol: float = 1.49012e-8,
    gtol: float = 0.0, maxfev: int = 0, epsfcn: float = 2.0**-52, factor: float = 100.0,
    solver: Literal["builtin", "original"] = "builtin",
) -> dict[str, Any]:
    """Minimise the sum of squares of fcn from x0; arguments, defaults and results as leastsq has them."""
    enorm = partial(kernels.enorm, solver=solver)
    x: Array = np.array(x0, float)
    n, first, info, par = x.size, True, 0, 0.0
    fvec, nfev = np.array(fcn(x), float), 1
    fnorm, maxfev = enorm(fvec), maxfev if maxfev > 0 else 200 * (n + 1)
    while info == 0:
        fjac, ipvt, rdiag, acnorm = kernels.qrfac(kernels.fdjac2(fcn, x, fvec, epsfcn, solver=solver), solver=solver)
        nfev += n
        qtf = multiply_by_qt(fjac, fvec)[:n]
        np.fill_diagonal(fjac, rdiag)
        if first:  # section 6: D from the norms of J's columns, later the largest met
            diag = np.where(acnorm == 0, 1.0, acnorm)
            xnorm = enorm(diag * x)
            delta = factor * xnorm or factor
        gnorm = gradient_cosine(fjac, ipvt, acnorm, qtf, fnorm)
        if gnorm <= gtol:
            info = 4
            break
        diag = np.fmax(diag, acnorm)

        ratio = 0.0
        while info == 0 and ratio < 1e-4:  # until a step reduces the sum of squares
            fjac[:n], par, p, _ = kernels.lmpar(fjac[:n], ipvt, diag, qtf, delta, par, solver=solver)  # section 5
            trial, pnorm = x - p, enorm(diag * p)
            if first:
                delta = smaller(delta, pnorm)
            fvec1, nfev = np.array(fcn(trial), float), nfev + 1
            fnorm1 = enorm(fvec1)

            # Section 4: the reduction against the one predicted, and with it delta.
            actred = 1 - square(fnorm1 / fnorm) if 0.1 * fnorm1 < fnorm else -1.0
            of_jp, of_dp = square(enorm(multiply_by_r(fjac, p[ipvt - 1])) / fnorm), square(sqrt(par) * pnorm / fnorm)
            prered, dirder = of_jp + of_dp / 0.5, -(of_jp + of_dp)
            ratio = actred / prered if prered != 0 else 0.0
            if not ratio > 0.25:  # a NaN, too
                shrink = 0.5 if actred >= 0 else 0.5 * dirder / (dirder + 0.5 * actred)
                if 0.1 * fnorm1 >= fnorm or shrink < 0.1:
                    shrink = 0.1
                delta, par = shrink * smaller(delta, pnorm / 0.1), par / shrink
            elif par == 0 or ratio >= 0.75:
                delta, par = pnorm / 0.5, 0.5 * par

            if not ratio < 1e-4:  # a NaN is taken
                x, fvec, fnorm, first = trial, fvec1, fnorm1, False
                xnorm = enorm(diag * x)

            reduction = np.maximum(abs(actred), prered) if 0.5 * ratio <= 1 else np.inf
            info = int(reduction <= ftol) + 2 * int(delta <= xtol * xnorm)
            if info == 0:  # the last that holds: too many calls, or a tolerance beyond the precision
                failures = [nfev >= maxfev, reduction <= EPSMCH, delta <= EPSMCH * xnorm, gnorm <= EPSMCH]
                info = max((code for code, holds in enumerate(failures, 5) if holds), default=0)
    return {"x": x, "fvec": fvec, "nfev": nfev, "fjac": fjac.T, "ipvt": ipvt, "qtf": qtf, "ier": info}


# The order of operations decides the last bits: np.dot, np.sum and the @ of matrices choose their own.


def dot(a: Array, b: Array) -> float:
    """The sum of a * b, term by term, from 0."""
    return float(np.cumsum(a * b)[-1]) + 0.0


def square(a: float) -> float:
    """a * a: a power need not be rounded as the product is, and overflows with an exception."""
    return a * a


def smaller(a: float, b: float) -> float:
    """The smaller of a and b; the other one if one is NaN."""
    return float(np.fmin(a, b))


def multiply_by_qt(fjac: Array, fvec: Array) -> Array:
    """Q' fvec: reflector after reflector, from qrfac's columns."""
    f = fvec.copy()
    for j in range(fjac.shape[1]):
        v = fjac[j:, j]
        if v[0] != 0:
            f[j:] -= dot(v, f[j:]) / v[0] * v
    return f


def multiply_by_r(r: Array, p: Array) -> Array:
    """R p, column after column."""
    product = np.zeros(p.size)
    for j in range(p.size):
        product[: j + 1] += r[: j + 1, j] * p[j]
    return product


def gradient_cosine(r: Array, ipvt: NDArray[np.int32], acnorm: Array, qtf: Array, fnorm: float) -> float:
    """The largest cosine, in absolute value, between the residuals and a column of J that is not zero."""
    if fnorm == 0:
        return 0.0
    pairs = enumerate(acnorm[ipvt - 1])
    cosines = [abs(dot(r[: j + 1, j], qtf[: j + 1] / fnorm) / norm) for j, norm in pairs if norm != 0]
    return float(np.fmax.reduce(cosines, initial=0.0))


def main() -> int:
    from quickstart import PROBLEMS

    same = True
    for problem in json.loads(Path(__file__).with_name("nist.json").read_text()):
        data, y, model = np.array(problem["x"]), np.array(problem["y"]), PROBLEMS[problem["name"]][0]

        def residuals(b: Array, data: Array = data, y: Array = y, model: Any = model) -> Array:
            return np.asarray(y - model(b, data))

        for solver in show_config(mode="dicts")["solvers"]:
            fit = leastsq(residuals, problem["start1"], full_output=True, maxfev=2000, solver=solver)
            expected = {"x": fit[0], **fit[2], "ier": fit[4]}
            actual = lmdif(residuals, problem["start1"], maxfev=2000, solver=solver)
            equal = all(np.asarray(actual[name]).tobytes() == np.asarray(expected[name]).tobytes() for name in actual)
            print(f"{problem['name']:<9} {solver:<9} nfev {actual['nfev']:<5} the bits of leastsq: {equal}")
            same = same and equal
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
