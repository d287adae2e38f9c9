"""
A step of Levenberg and Marquardt
=================================

Two parameters of a decay, ``x0 * exp(-x1 * t)``, seen from the first point of a fit: where a step can go. The bound
on the scaled step, ``norm(D p) <= delta``, is an ellipse; the damping ``par`` moves the step along a path, from the
Gauss-Newton step (``par`` 0) back into the ellipse, turning to the scaled steepest descent as it shortens.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq

t = np.linspace(0, 5, 12)
data = 4 * np.exp(-0.6 * t)
START = np.array([1.0, 0.15])


def residuals(x: Any) -> Any:
    return x[0] * np.exp(-x[1] * t) - data


def jacobian(x: Any) -> Any:
    e = np.exp(-x[1] * t)
    return np.column_stack([e, -x[0] * t * e])


# %%
# The first trial step and its bound are those that the callback sees, with ``factor`` 0.6 for a bound that matters.

FACTOR = 0.6
trials: list[Any] = []


def watch(intermediate_result: Any) -> None:
    trials.append(intermediate_result)


x, ier = leastsq(residuals, START, Dfun=jacobian, factor=FACTOR, callback=watch)
first = trials[0]
fjac, fvec = jacobian(START), residuals(START)
diag = np.linalg.norm(fjac, axis=0)  # MINPACK's scaling at the start: the columns' norms
delta = FACTOR * np.linalg.norm(diag * START)
print(f"first trial at {first.trial_x}, par {first.par:.3g}, of {len(trials)} trials; the fit ends at {x}")


def step(par: float) -> Any:
    """The minimum of ``norm(fvec + fjac p)**2 + par * norm(D p)**2``."""
    return np.linalg.solve(fjac.T @ fjac + par * np.diag(diag**2), -fjac.T @ fvec)


# %%
# MINPACK's ``lmpar`` finds a ``par`` for which the step ends on the ellipse, to a tenth of ``delta``.

print("norm(D p) / delta of the first trial:", np.linalg.norm(diag * (first.trial_x - START)) / delta)

# %%
# Grey: the sum of squares; blue: what the linear model of the residuals makes of it, to be trusted in the ellipse
# alone.

a, b = np.meshgrid(np.linspace(0, 5.2, 200), np.linspace(-0.1, 1.3, 200))
squares = np.sum((a[..., None] * np.exp(-b[..., None] * t) - data) ** 2, axis=-1)
shifts = np.stack([a - START[0], b - START[1]], axis=-1)
model = np.sum((fvec + shifts @ fjac.T) ** 2, axis=-1)
angle = np.linspace(0, 2 * np.pi, 200)
path = np.array([START + step(par) for par in np.concatenate([[0], np.logspace(-4, 4, 400)])])
levels = np.logspace(-1, 2.5, 15)

figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
axes.contour(a, b, squares, levels, colors="0.6", linewidths=0.8)
axes.contour(a, b, model, levels, colors="tab:blue", linewidths=0.6, linestyles="--")
ellipse = START + delta / diag * np.column_stack([np.cos(angle), np.sin(angle)])
axes.plot(*ellipse.T, color="tab:green", label="norm(D p) = delta")
axes.plot(*path.T, color="tab:orange", linewidth=2, label="steps, par from 0 to infinity")
axes.plot(*path[0], "s", color="tab:orange", label="Gauss-Newton step, par = 0")
axes.plot(first.trial_x[0], first.trial_x[1], "o", color="tab:red", label=f"the trial, par = {first.par:.2g}")
axes.plot(*START, "ko", label="start")
axes.plot(*x, "k*", markersize=12, label="minimum")
axes.set(xlabel="x0", ylabel="x1", xlim=(0, 5.2), ylim=(-0.1, 1.3))
axes.legend(loc="upper left", fontsize=9)
plt.show()
