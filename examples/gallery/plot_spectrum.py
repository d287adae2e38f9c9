"""
A spectrum of six peaks
=======================

Nineteen parameters: place, height and width of six peaks, and a background. With ``vectorized=True`` the model
computes all points of a Jacobian in one call, so that differences cost one call of the function, not nineteen.
"""

import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq

random = np.random.default_rng(3)
x = np.arange(100.0)
TRUE = np.array([12, 40, 3, 25, 90, 4, 34, 60, 3, 52, 120, 6, 70, 35, 4, 84, 75, 5, 10.0])
START = TRUE * np.tile([1.02, 0.7, 1.4], 7)[:19]


def spectrum(p: Any) -> Any:
    """Counts at x for parameters of shape (..., 19)."""
    place, height, width = (p[..., i:18:3, None] for i in range(3))
    return np.sum(height * np.exp(-0.5 * ((x - place) / width) ** 2), axis=-2) + p[..., 18:]


counts = random.poisson(spectrum(TRUE))
error = np.sqrt(np.maximum(counts, 1))


def residuals(p: Any) -> Any:
    return (spectrum(p) - counts) / error


# %%
# The same bits, and less time.

fits: dict[bool, Any] = {}
for vectorized in (False, True):
    start = time.perf_counter()
    fits[vectorized] = leastsq(residuals, START, vectorized=vectorized)
    print(f"vectorized={vectorized}: {1e3 * (time.perf_counter() - start):.1f} ms, ier {fits[vectorized][1]}")
p = fits[True][0]
print("same bits:", np.array_equal(p, fits[False][0]))

# %%

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, height_ratios=[4, 1.5], layout="constrained")
top.plot(x, counts, ".", color="0.6", markersize=4, label="counts")
top.plot(x, spectrum(p), color="tab:orange", label="fit")
for peak in range(6):
    alone = np.concatenate([np.where(np.arange(18) // 3 == peak, p[:18], [1, 0, 1] * 6), p[18:]])
    top.plot(x, spectrum(alone), color="tab:blue", linewidth=0.8)
top.set_ylabel("counts")
top.legend(frameon=False)
bottom.axhline(0, color="tab:orange")
bottom.plot(x, residuals(p), ".", color="0.4", markersize=4)
bottom.set(xlabel="channel", ylabel="residual / error")
plt.show()
