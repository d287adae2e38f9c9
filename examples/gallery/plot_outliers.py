"""
Outliers: least squares, reweighted
===================================

A few wild points pull a least-squares fit far off. Weights that fall with the size of a residual, taken anew from
each fit, make of ``leastsq`` a robust one: Huber's, in ten lines.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq

random = np.random.default_rng(7)
t = np.linspace(0, 10, 60)
TRUE = np.array([3.0, 0.4, 0.5])
y = TRUE[0] * np.exp(-TRUE[1] * t) + TRUE[2] + 0.05 * random.standard_normal(t.size)
wild = random.choice(t.size, 8, replace=False)
y[wild] += random.uniform(1, 3, wild.size)


def model(p: Any, t: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) + p[2]


plain, ier = leastsq(lambda p: model(p, t) - y, [1, 1, 0])

# %%
# A residual beyond 1.345 of the noise's size (the median of the absolute residuals over 0.6745) counts by its root
# only.

robust, weights = plain, np.ones_like(t)
for _ in range(50):
    before = robust
    sizes = np.abs(model(robust, t) - y)
    noise = np.median(sizes) / 0.6745
    weights = np.sqrt(np.minimum(1, 1.345 * noise / np.maximum(sizes, 1e-300)))
    robust, ier = leastsq(lambda p, weights=weights: weights * (model(p, t) - y), robust)
    if np.allclose(robust, before, rtol=1e-6):
        break
print(f"true {TRUE}, plain {plain.round(3)}, robust {robust.round(3)}")

# %%

figure, axes = plt.subplots(layout="constrained")
points = axes.scatter(t, y, c=weights**2, cmap="viridis", vmin=0, vmax=1, zorder=3)
figure.colorbar(points, label="weight in the end")
axes.plot(t, model(TRUE, t), color="0.6", linewidth=5, alpha=0.5, label="true")
axes.plot(t, model(plain, t), "--", color="tab:red", label="least squares")
axes.plot(t, model(robust, t), color="tab:blue", label="reweighted")
axes.set(xlabel="t", ylabel="y")
axes.legend(frameon=False)
plt.show()
