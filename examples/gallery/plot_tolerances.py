"""
Digits against tolerances
=========================

How many digits of NIST's certified parameters a fit reaches, against ``ftol`` or ``xtol``, the other being 0: 27
problems from the second of NIST's two starts, by differences and with ``Dfun``. And what helps from the first, which is
farther off.

The last bits of the models hang on the machine's ``exp``. A number as argument changes them at random, by that seed.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from pyminpack import leastsq

sys.path.insert(0, str(Path(sys.argv[0]).resolve().parents[2] / "tests"))
from problems import nist  # type: ignore[import-not-found]  # the data; tests/ is not on mypy's path

random = np.random.default_rng(int(sys.argv[1])) if len(sys.argv) > 1 else None


def fit(problem: Any, start: str, **options: Any) -> tuple[float, int, float, int]:
    """Digits of the worst parameter, calls of func, sum of squares over the certified one, ier."""
    def func(b: NDArray[np.float64]) -> NDArray[np.float64]:
        fvec: NDArray[np.float64] = problem.residuals(b)
        if random is not None:
            fvec += np.spacing(fvec + problem.response) * random.integers(-1, 2, fvec.size)
        return fvec

    with warnings.catch_warnings(action="ignore"):
        x, _, infodict, _, ier = leastsq(func, problem.starts[start], full_output=True, **options)
    ratio = np.sum(infodict["fvec"] ** 2) / problem.rss
    return nist.digits(x, problem.certified).min(), infodict["nfev"], ratio, ier


# %%
# The line is the median of the 27, the band reaches down to the worst of them.

TOLERANCES = 10.0 ** -np.arange(1, 17)


def sweep(name: str, jacobian: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Digits of each problem for each tolerance, and calls of func, both of shape (tolerances, problems)."""
    options = {"ftol": 0, "xtol": 0, "maxfev": 5000}
    fits = np.array([
        [fit(problem, "start2", **{**options, name: tolerance}, Dfun=problem.jacobian if jacobian else None)[:2]
         for problem in nist.PROBLEMS]
        for tolerance in TOLERANCES
    ])
    return fits[..., 0], fits[..., 1]


figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey="row", height_ratios=[5, 2], layout="constrained")
for (top, bottom), jacobian in zip(axes.T, (False, True), strict=True):
    for name, colour in (("ftol", "tab:blue"), ("xtol", "tab:orange")):
        digits, calls = sweep(name, jacobian)
        median, worst, calls = np.median(digits, axis=1), digits.min(axis=1), calls.sum(axis=1)
        top.plot(TOLERANCES, median, "o-", color=colour, markersize=4, label=f"{name} alone: median")
        top.plot(TOLERANCES, worst, "--", color=colour, linewidth=1, label="worst of 27")
        top.fill_between(TOLERANCES, worst, median, color=colour, alpha=0.12, linewidth=0)
        bottom.plot(TOLERANCES, calls, "o-", color=colour, markersize=3)
        print(f"{name} alone, {'Dfun' if jacobian else 'differences'}")
        for i in (3, 5, 7, 9, 11, 15):
            print(f"  {TOLERANCES[i]:.0e}: median {median[i]:4.1f}, worst {worst[i]:4.1f} digits, {calls[i]:.0f} calls")
    for each in (top, bottom):
        each.axvline(1.49012e-8, color="0.5", linewidth=1)
        each.grid(alpha=0.3)
    top.set_title("Dfun" if jacobian else "differences")
    bottom.set(xscale="log", xlabel="tolerance (grey: the default, 1.49e-8)", ylim=(0, None))
axes[0, 0].invert_xaxis()  # shared by all
axes[0, 0].set(ylabel="digits of the worst parameter", ylim=(0, 11))
axes[1, 0].set_ylabel("calls of func")
axes[0, 0].legend(frameon=False, fontsize=9)
plt.show()

# %%
# From the far start, five of the problems end elsewhere by the defaults. What helps: more calls, a shorter first step,
# scales of one's own, tighter tolerances.

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "maxfev=10000": {"maxfev": 10000},
    "maxfev=10000, ftol=xtol=1e-10": {"maxfev": 10000, "ftol": 1e-10, "xtol": 1e-10},
    "factor=1": {"factor": 1},
    "factor=0.1": {"factor": 0.1},
    "diag=1/abs(x0)": {},
}
for problem in nist.PROBLEMS:
    if problem.name in ("Bennett5", "BoxBOD", "MGH09", "MGH10", "MGH17"):
        print(problem.name)
        for label, options in OPTIONS.items():
            diag = 1 / np.abs(problem.starts["start1"]) if "diag" in label else None
            _, nfev, ratio, ier = fit(problem, "start1", **options, diag=diag)
            print(f"  {label:<30} ier {ier}, {nfev:>4} calls, sum of squares {ratio:.6g} times the certified one")
