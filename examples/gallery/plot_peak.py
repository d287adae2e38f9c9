"""
A peak and its confidence band
==============================

NIST's Eckerle4: transmittance against wavelength. A Gaussian peak of height ``b1 / b2``, width ``b2`` and place
``b3``, with its derivatives.
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from pyminpack import leastsq, uncertainty

problems = json.loads((Path(sys.argv[0]).resolve().parents[1] / "nist.json").read_text())
(problem,) = (problem for problem in problems if problem["name"] == "Eckerle4")
x, y = np.array(problem["x"]), np.array(problem["y"])


def model(b: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(b[0] / b[1] * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2))


def derivatives(b: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the model, shape (x.size, 3)."""
    z = (x - b[2]) / b[1]
    return np.column_stack([1 / b[0] + 0 * z, (z**2 - 1) / b[1], z / b[1]]) * model(b, x)[:, None]


# %%
# The fit, from the nearer of NIST's two starts.

b, cov_x, infodict, mesg, ier = leastsq(
    lambda b: model(b, x) - y, [1.5, 5.0, 450.0], Dfun=lambda b: derivatives(b, x), full_output=True
)
result = uncertainty(b, cov_x, infodict)
print(f"ier {ier}: {mesg}")
for j in range(3):
    print(f"b{j + 1} = {b[j]:.7f} ± {result.standard_errors[j]:.7f}  (certified {problem['certified'][j]:.7f})")

# %%
# The band is two standard errors of the fitted curve, by the delta rule: its variance at x is ``d' C d``, with the
# derivatives ``d`` there and the parameters' covariance ``C``.

dense = np.linspace(x.min(), x.max(), 500)
d = derivatives(b, dense)
band = 2 * np.sqrt(np.einsum("ij,jk,ik->i", d, result.covariance, d))

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, height_ratios=[4, 1.5], layout="constrained")
top.fill_between(dense, model(b, dense) - band, model(b, dense) + band, color="tab:orange", alpha=0.35, linewidth=0)
top.plot(dense, model(b, dense), color="tab:orange", label="fit, two standard errors")
top.plot(x, y, "o", color="tab:blue", markersize=4, label="data")
top.set_ylabel("transmittance")
top.legend(frameon=False)
bottom.axhline(0, color="tab:orange")
bottom.plot(x, y - model(b, x), "o", color="tab:blue", markersize=4)
bottom.set(xlabel="wavelength", ylabel="data − fit")
plt.show()
