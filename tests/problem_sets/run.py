"""Fits of the field's problem sets, each to the bit against libminpack1's: `./dev problems [--quick]`.

The first argument is a folder with the packages that carry the sets. A fit that differs is named, and the status is
then 1. What is left out is counted with its reason.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.bits import assert_same_outputs
from oracles.libminpack import libminpack
from problem_sets import more_wild, s2mpj
from pyminpack import leastsq

Array = NDArray[np.float64]

SLOW = 0.1  # seconds of an evaluation, residuals and Jacobian, from which a problem is left out
BUDGET = 1.0  # seconds of one fit's evaluations; it ends then as by maxfev, in both libraries
EVERY = 10  # of S2MPJ's problems, by --quick
OUTPUTS = ("x", "fvec", "fjac", "ipvt", "qtf", "nfev", "info")


def remembered(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function, which computes but once at each point: the second library asks for the same ones."""
    known: dict[bytes, Array] = {}

    def call(x: Array) -> Array:
        key = x.tobytes()
        if key not in known:
            known[key] = function(np.array(x))
        return known[key].copy()

    return call


def fit(residuals: Callable[[Array], Array], jacobian: Callable[[Array], Array] | None, start: Array,
        maxfev: int) -> dict[str, Any]:  # fmt: skip
    """Fit by both libraries; an AssertionError where a bit differs. leastsq's outputs under MINPACK's names."""
    residuals = remembered(residuals)
    m, outputs = residuals(start).size, OUTPUTS
    if jacobian is None:
        expected = libminpack.lmdif(residuals, start, m, maxfev=maxfev)
    else:
        jacobian = remembered(jacobian)
        expected = libminpack.lmder(residuals, jacobian, start, m, maxfev=maxfev)
        outputs += ("njev",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        x, _, info, _, ier = leastsq(residuals, start, Dfun=jacobian, full_output=True, maxfev=maxfev, solver="builtin")
    actual = {**info, "fjac": info["fjac"].T, "x": x, "info": ier}
    assert_same_outputs({name: actual[name] for name in outputs}, expected)
    return actual


def seconds_of(problem: s2mpj.Problem) -> float:
    """Of an evaluation; the less of two, for the first may import something. Unfit if it is none for this."""
    def once() -> float:
        start = time.perf_counter()
        shape = problem.residuals(problem.start).size, problem.start.size
        if shape[0] < shape[1]:
            raise s2mpj.Unfit("it has fewer residuals than variables")
        assert problem.jacobian(problem.start).shape == shape
        return time.perf_counter() - start

    seconds = once()
    if seconds > SLOW:
        seconds = once()
    if seconds > SLOW:
        raise s2mpj.Unfit(f"an evaluation takes more than {SLOW} s")
    return seconds


def fits_of(sizes: list[s2mpj.Problem]) -> tuple[list[str], str | None]:
    """Of each fit where it differs (an empty text: nowhere); or, if no size is fit, why."""
    why = f"it has more than {s2mpj.MOST_VARIABLES} variables"
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # S2MPJ prints and warns as it likes
        for problem in sizes:
            try:
                seconds = seconds_of(problem)
            except s2mpj.Unfit as unfit:
                why = str(unfit)
            except Exception as error:
                why = f"S2MPJ's {type(error).__name__} ({error})"
            else:
                return [difference(problem, jacobian, seconds) for jacobian in (None, problem.jacobian)], None
    return [], why


def difference(problem: s2mpj.Problem, jacobian: Callable[[Array], Array] | None, seconds: float) -> str:
    n = problem.start.size
    maxfev = min(int(BUDGET / seconds), (200 if jacobian is None else 100) * (n + 1))
    try:
        fit(problem.residuals, jacobian, problem.start, maxfev)
    except AssertionError as error:
        return f"{problem}: {error}"
    return ""


def run_s2mpj(folder: Path, every: int) -> bool:
    chosen = list(s2mpj.problems(folder))[::every]
    fits, left_out, differ = 0, defaultdict[str, list[str]](list), list[str]()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        names, sizes = zip(*chosen, strict=True)
        for count, (name, (texts, why)) in enumerate(zip(names, pool.imap(fits_of, sizes), strict=True), 1):
            if count % 50 == 0:
                print(f"    {count} of {len(chosen)} problems", file=sys.stderr)
            fits += len(texts)
            differ += filter(None, texts)
            if why:
                left_out[why].append(name)
    print(f"CUTEst by S2MPJ: {len(chosen)} nonlinear least-squares problems and systems of equations; {fits} fits of"
          f" {len(chosen) - sum(map(len, left_out.values()))}, {len(differ)} differ")  # fmt: skip
    for why, which in left_out.items():
        print(f"    left out, for {why}: {len(which)}:", *which)
    print(*differ, sep="\n", end="\n" if differ else "")
    return bool(differ) or fits == 0


def run_more_wild(folder: Path) -> bool:
    count, differ, elsewhere = 0, [], []
    for case in more_wild.cases(folder):
        fvec = case.residuals(case.start)
        if not np.isclose(fvec @ fvec, case.at_start, rtol=1e-5):
            differ.append(f"{case}: {fvec @ fvec} at the start, not {case.at_start}")
        try:
            found = fit(case.residuals, None, case.start, 200 * (case.start.size + 1))
            count += 1
        except AssertionError as error:
            differ.append(f"{case}: {error}")
            continue
        reached = float(found["fvec"] @ found["fvec"])
        if reached > case.at_solution * (1 + 1e-4) + 1e-8:
            elsewhere.append(f"{case} ({reached:.6g}, not {case.at_solution:.6g})")
    print(f"Moré and Wild: {count} fits, {len(differ)} differ; {count - len(elsewhere)} reach the solution's sum of"
          " squares")  # fmt: skip
    print(*[f"    as MINPACK, elsewhere: {text}" for text in elsewhere], sep="\n", end="\n" if elsewhere else "")
    print(*differ, sep="\n", end="\n" if differ else "")
    return bool(differ) or count == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev problems", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help=f"every {EVERY}th of S2MPJ's problems")
    options = parser.parse_args()
    failed = [run_more_wild(options.folder), run_s2mpj(options.folder, EVERY if options.quick else 1)]
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main())
