"""
Parameters that cannot be told apart
====================================

A decay with an amplitude and a delay, ``a * exp(-k * (t - t0))``: the later it begins, the smaller it is. No data
can tell ``a`` from ``t0``, and yet the fit ends with ``ier`` 1 at a good minimum. ``uncertainty`` names them.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq, uncertainty

NAMES = np.array(["a", "k", "t0"])
t = np.linspace(0, 4, 25)
y = 5 * np.exp(-0.7 * t) + 0.05 * np.random.default_rng(2).standard_normal(t.size)


def residuals(p: Any) -> Any:
    return p[0] * np.exp(-p[1] * (t - p[2])) - y


p, cov_x, infodict, mesg, ier = leastsq(residuals, [4, 1, 0.5], full_output=True)
result = uncertainty(p, cov_x, infodict)
print(f"ier {ier}, rank {result.rank} of {p.size}")
for name, value, error in zip(NAMES, p, result.standard_errors, strict=True):
    print(f"{name} = {value:.3f} ± {error:.3f}")
(direction,) = result.null_space
print("not told apart:", ", ".join(NAMES[direction != 0]))

# %%
# Along that direction the sum of squares does not change, to first order. What the data do determine, ``a * exp(k *
# t0)``, is the same all along the valley: fit that, or fix one of the two.

a, t0 = np.meshgrid(np.linspace(1, 9, 200), np.linspace(-1, 1.5, 200))
squares = np.sum((a[..., None] * np.exp(-p[1] * (t - t0[..., None])) - y) ** 2, axis=-1)
figure, axes = plt.subplots(layout="constrained")
levels = axes.contourf(a, t0, np.log10(squares), 24, cmap="viridis_r")
figure.colorbar(levels, label="log10 of the sum of squares")
for sign in (-1, 1):
    arrow = {"arrowstyle": "->", "color": "tab:red", "linewidth": 2}
    end = p + sign * 1.5 * direction / np.linalg.norm(direction)
    axes.annotate("", xy=(end[0], end[2]), xytext=(p[0], p[2]), arrowprops=arrow)
axes.plot(p[0], p[2], "o", color="tab:red", label="the fit, and its null space")
axes.set(xlabel="a", ylabel="t0")
axes.legend(loc="upper right")
plt.show()
