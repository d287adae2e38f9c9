"""
Damping, bound and ratio
========================

How the bound on the step follows the ratio of the actual reduction of the sum of squares to the one that the linear
model predicts: NIST's Thurber from its far start, as the callback sees it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import IntermediateResult, leastsq

problems = json.loads((Path(sys.argv[0]).resolve().parents[1] / "nist.json").read_text())
(problem,) = (problem for problem in problems if problem["name"] == "Thurber")
x, y = np.array(problem["x"]), np.array(problem["y"])
trials: list[IntermediateResult] = []


def residuals(b: Any) -> Any:
    return np.polyval(b[3::-1], x) / np.polyval([*b[:3:-1], 1], x) - y


def watch(intermediate_result: IntermediateResult) -> None:
    trials.append(intermediate_result)


b, ier = leastsq(residuals, problem["start1"], callback=watch)
print(f"ier {ier} after {len(trials)} trials; parameters, fitted over certified:", b / problem["certified"])

# %%
# A ratio below 0.25 halves the bound or worse, one from 0.75 on, or a step without damping, sets it to twice the
# step's length; the grey lines are at both. Below 0.0001 a trial is rejected (hollow). ``par`` is 0 where the
# Gauss-Newton step lies within the bound: the end of most fits.

numbers = np.arange(1, len(trials) + 1)
accepted = np.array([bool(trial.accepted) for trial in trials])
curves: dict[str, tuple[list[Any], str]] = {
    "norm of the residuals": ([trial.trial_fnorm for trial in trials], "log"),
    "ratio": ([trial.ratio for trial in trials], "linear"),
    "bound delta": ([trial.delta for trial in trials], "log"),
    "damping par": ([trial.par for trial in trials], "symlog"),
}
figure, axes = plt.subplots(4, 1, figsize=(8, 8), sharex=True, layout="constrained")
for each, (name, (values, scale)) in zip(axes, curves.items(), strict=True):
    each.plot(numbers, values, "-", color="0.7", zorder=1)
    fill = np.where(accepted, "tab:blue", "white")
    each.scatter(numbers, values, s=25, facecolors=fill, edgecolors="tab:blue", zorder=2)
    each.set_yscale(scale, **({"linthresh": 1e-4} if scale == "symlog" else {}))
    each.set_ylabel(name)
for level in (0.25, 0.75):
    axes[1].axhline(level, color="0.8", linewidth=1, zorder=0)
axes[1].set_ylim(-1, 1.5)
axes[3].set_xlabel("trial (hollow: rejected)")
plt.show()
