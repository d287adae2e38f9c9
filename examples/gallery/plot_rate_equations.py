"""
A differential equation as the model
====================================

Made-up hares and lynxes, by Lotka and Volterra: ``x' = a x - b x y``, ``y' = c x y - d y``. The model integrates
the equations by Runge and Kutta's method, and the two numbers at the start are parameters like the others.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq, uncertainty

NAMES = ("a", "b", "c", "d", "x(0)", "y(0)")
TRUE = np.array([0.55, 0.028, 0.024, 0.8, 34.0, 6.0])
years = np.arange(21.0)
STEPS = 20  # of the integration, a year


def rates(z: Any, p: Any) -> Any:
    x, y = z
    return np.array([p[0] * x - p[1] * x * y, p[2] * x * y - p[3] * y])


def solution(p: Any) -> Any:
    """Both populations at each step, shape (401, 2); every 20th is a year."""
    z, h = np.array(p[4:6]), 1 / STEPS
    rows = [z]
    for _ in range(20 * STEPS):
        k1 = rates(z, p)
        k2 = rates(z + h / 2 * k1, p)
        k3 = rates(z + h / 2 * k2, p)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + rates(z + h * k3, p))
        rows.append(z)
    return np.array(rows)


# %%
# Errors are relative, so logarithms are fitted; and rates are positive, so their logarithms are the parameters.

random = np.random.default_rng(5)
data = solution(TRUE)[::STEPS] * np.exp(0.1 * random.standard_normal((years.size, 2)))


def residuals(log_p: Any) -> Any:
    return np.log(solution(np.exp(log_p))[::STEPS] / data).ravel()


log_p, cov_x, infodict, mesg, ier = leastsq(residuals, np.log([0.5, 0.025, 0.025, 0.75, 30, 5]), full_output=True)
errors = uncertainty(log_p, cov_x, infodict).standard_errors
for name, value, error, true in zip(NAMES, np.exp(log_p), errors, TRUE, strict=True):
    print(f"{name} = {value:.4g} ± {100 * error:.1f} %  (true {true:g})")

# %%

figure, axes = plt.subplots(layout="constrained")
fitted = solution(np.exp(log_p))
for j, (colour, label) in enumerate([("tab:blue", "hare"), ("tab:orange", "lynx")]):
    axes.plot(years, data[:, j], "o", color=colour, label=label)
    axes.plot(np.arange(20 * STEPS + 1) / STEPS, fitted[:, j], color=colour)
axes.set(xlabel="year", ylabel="thousands", ylim=(0, None))
axes.legend(frameon=False)
plt.show()
