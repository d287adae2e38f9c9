"""
Digits against tolerances
=========================

How many digits of NIST's certified parameters a fit reaches, against `ftol` or `xtol`, the other being 0: 27 problems
from the second of NIST's two starts, by differences and with `Dfun`.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from pyminpack import leastsq

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from problems import nist  # type: ignore[import-not-found]  # the data, with their formulas

# %%
# Each fit twice for each tolerance. The digits of a fit are those of its worst parameter.

TOLERANCES = 10.0 ** -np.arange(1, 17)


def fits(name: str, jacobian: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Digits, shape (tolerances, problems), and calls of func of all problems, shape (tolerances,)."""
    digits, calls = np.zeros((TOLERANCES.size, len(nist.PROBLEMS))), np.zeros(TOLERANCES.size)
    for i, tolerance in enumerate(TOLERANCES):
        for j, problem in enumerate(nist.PROBLEMS):
            x, _, infodict, _, _ = leastsq(problem.residuals, problem.starts["start2"], full_output=True, maxfev=5000,
                                           Dfun=problem.jacobian if jacobian else None,
                                           ftol=tolerance if name == "ftol" else 0,
                                           xtol=tolerance if name == "xtol" else 0)
            digits[i, j] = nist.digits(x, problem.certified).min()
            calls[i] += infodict["nfev"]
    return digits, calls


# %%
# The line is the median of the problems, the band reaches down to the worst of them.

figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey="row", height_ratios=[5, 2], layout="constrained")
for (top, bottom), jacobian in zip(axes.T, (False, True), strict=True):
    for name, colour in (("ftol", "tab:blue"), ("xtol", "tab:orange")):
        with warnings.catch_warnings(action="ignore"):
            digits, calls = fits(name, jacobian)
        median, worst = np.median(digits, axis=1), digits.min(axis=1)
        top.plot(TOLERANCES, median, "o-", color=colour, markersize=4, label=f"{name} alone: median")
        top.plot(TOLERANCES, worst, "--", color=colour, linewidth=1, label="worst of 27")
        top.fill_between(TOLERANCES, worst, median, color=colour, alpha=0.12, linewidth=0)
        bottom.plot(TOLERANCES, calls, "o-", color=colour, markersize=3)
        print(f"{'Dfun' if jacobian else 'differences':<12}{name}")
        for i in (3, 7, 9, 11, 15):
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
