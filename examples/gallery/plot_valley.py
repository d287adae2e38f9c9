"""
Along a curved valley
=====================

Rosenbrock's function: the way of the fit from the usual start, with each trial, accepted or not, as the callback
sees it.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import IntermediateResult, leastsq


def residuals(x: Any) -> Any:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


START = [-1.2, 1.0]
trials: list[IntermediateResult] = []


def watch(intermediate_result: IntermediateResult) -> None:
    trials.append(intermediate_result)


x, _, infodict, mesg, ier = leastsq(residuals, START, full_output=True, callback=watch)
accepted = np.array([trial.accepted for trial in trials])
points = np.array([trial.trial_x for trial in trials])
print(f"{len(trials)} trials, {accepted.sum()} of them accepted, {infodict['nfev']} evaluations; ends at {x}")

# %%
# A rejected trial (hollow) leaves the point where it is and shortens the next step.

a, b = np.meshgrid(np.linspace(-1.8, 1.6, 300), np.linspace(-1.2, 2.2, 300))
squares = 100 * (b - a**2) ** 2 + (1 - a) ** 2
figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
axes.contourf(a, b, np.log10(squares + 1e-3), 24, cmap="Greys", alpha=0.6)
axes.plot(*np.vstack([START, points[accepted]]).T, "-", color="tab:blue", linewidth=1)
axes.scatter(*points[accepted].T, color="tab:blue", zorder=3, label="accepted")
axes.scatter(*points[~accepted].T, facecolors="white", edgecolors="tab:red", zorder=3, label="rejected")
axes.plot(*START, "ko", label="start")
axes.plot(1, 1, "*", color="tab:orange", markersize=14, zorder=4, label="minimum")
axes.set(xlabel="x0", ylabel="x1", xlim=(-1.8, 1.6), ylim=(-1.2, 2.2))
axes.legend(loc="lower right")
plt.show()
