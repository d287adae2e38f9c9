"""
Six points, two parameters, no ellipse
======================================

Biochemical oxygen demand (Bates and Watts, 1988): ``a * (1 - exp(-b * t))``. Standard errors are those of a linear
model; with six points, the region of equal likelihood is no ellipse, and no number with ± tells of it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq, uncertainty

sets = json.loads((Path(sys.argv[0]).resolve().parents[1] / "bates_watts.json").read_text())
(entry,) = (entry for entry in sets if entry["name"] == "Biochemical oxygen demand")
t, y = np.array(entry["x"], float), np.array(entry["y"])


def residuals(p: Any) -> Any:
    return p[0] * (1 - np.exp(-p[1] * t)) - y


p, cov_x, infodict, mesg, ier = leastsq(residuals, [20, 0.24], full_output=True)
result = uncertainty(p, cov_x, infodict)
least = np.sum(infodict["fvec"] ** 2)
print(f"a = {p[0]:.2f} ± {result.standard_errors[0]:.2f}, b = {p[1]:.3f} ± {result.standard_errors[1]:.3f}")

# %%
# The region of 80 % has the sums of squares up to ``least * (1 + 2 / 4 * F)``, where F is 2.47, the 80 % point of F
# with 2 and 4 degrees of freedom (of 95 %, 6.94, it would have no end); the ellipse is what the covariance makes of
# it.

F = 2.47
a, b = np.meshgrid(np.linspace(10, 32, 300), np.linspace(0.02, 1.8, 300))
squares = np.sum((a[..., None] * (1 - np.exp(-b[..., None] * t)) - y) ** 2, axis=-1)
angle = np.linspace(0, 2 * np.pi, 200)
ellipse = p[:, None] + np.sqrt(2 * F) * np.linalg.cholesky(result.covariance) @ [np.cos(angle), np.sin(angle)]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
dense = np.linspace(0, 8, 200)
left.plot(t, y, "o", color="tab:blue", label="data")
left.plot(dense, p[0] * (1 - np.exp(-p[1] * dense)), color="tab:orange", label="fit")
left.set(xlabel="time, days", ylabel="oxygen demand, mg/l", ylim=(0, 22))
left.legend(frameon=False)
right.contour(a, b, squares, [least * (1 + 2 / 4 * F)], colors="tab:blue")
right.plot(*ellipse, "--", color="tab:orange", label="of the covariance")
right.plot([], [], color="tab:blue", label="of the sum of squares")
right.plot(*p, "k+", markersize=10)
right.set(xlabel="a, mg/l", ylabel="b, 1/day", title="80 % regions")
right.legend(frameon=False)
plt.show()
