"""
Parameters that the data hardly tell apart
==========================================

The isomerization of n-pentane (Bates and Watts, 1988): a rate in three partial pressures, with four parameters. The
fit is good, and yet no parameter but one is known to better than its own size. Written in other parameters, three
are.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq, uncertainty

sets = json.loads((Path(sys.argv[0]).resolve().parents[1] / "bates_watts.json").read_text())
(entry,) = (entry for entry in sets if entry["name"] == "Isomerization")
(hydrogen, pentane, isopentane), rate = np.array(entry["x"]), np.array(entry["y"])
drive = pentane - isopentane / 1.632


def model(p: Any) -> Any:
    return p[0] * p[2] * drive / (1 + p[1] * hydrogen + p[2] * pentane + p[3] * isopentane)


p, cov_x, infodict, mesg, ier = leastsq(lambda p: model(p) - rate, [35, 0.1, 0.05, 0.2], full_output=True)
first = uncertainty(p, cov_x, infodict)
print(f"ier {ier}, rank {first.rank}")
print("parameters:     ", p)
print("standard errors:", first.standard_errors)

# %%
# Divided by ``p0 * p2``, the denominator is linear in four new parameters ``q``: ``drive / rate`` would be a
# straight fit.


def other(q: Any) -> Any:
    return drive / (q[0] + q[1] * hydrogen + q[2] * pentane + q[3] * isopentane)


q, cov_x, infodict, mesg, ier = leastsq(lambda q: other(q) - rate, np.full(4, 0.05), full_output=True)
second = uncertainty(q, cov_x, infodict)
print("parameters:     ", q)
print("standard errors:", second.standard_errors)

# %%
# The correlations of both: only the parameters differ, the fitted rates do not.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained", width_ratios=[1, 1, 1.2])
for each, result, name in zip(axes, (first, second), "pq", strict=False):
    names = [f"{name}{j}" for j in range(4)]
    each.imshow(np.abs(result.correlations), vmin=0, vmax=1, cmap="viridis")
    each.set_xticks(range(4), names)
    each.set_yticks(range(4), names)
    for i, j in np.ndindex(4, 4):
        value = result.correlations[i, j]
        each.text(j, i, f"{value:.3f}", ha="center", va="center", fontsize=8, color="w" if abs(value) < 0.6 else "k")
axes[0].set_title("correlations")
axes[1].set_title("in other parameters")
axes[2].plot(rate, model(p), "o", color="tab:blue")
axes[2].plot([0, 12], [0, 12], color="tab:orange")
axes[2].set(xlabel="measured rate", ylabel="fitted rate")
plt.show()
