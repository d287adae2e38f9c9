"""Watch a fit: damping, trust region and residual norm against the step, live or after the fact.

    python watch.py                draws while it fits
    python watch.py watch.png      draws once, into a file; needs no screen
"""

import sys
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from pyminpack import IntermediateResult, leastsq

T = np.linspace(0, 10, 200)
DATA = sum(a * np.exp(-(((T - c) / w) ** 2)) for a, c, w in [(3, 2, 0.5), (5, 5, 0.8), (2, 8, 0.4)]) + 0.2


def residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
    peaks = sum(a * np.exp(-(((T - c) / w) ** 2)) for a, c, w in x[:9].reshape(3, 3))
    return np.asarray(peaks + x[9] - DATA)


START = [1.0, 1.5, 1.0, 1.0, 4.5, 1.0, 1.0, 8.5, 1.0, 0.0]


def draw(figure: Any, results: list[IntermediateResult]) -> None:
    """Three curves, one below the other; a rejected trial is a hollow mark."""
    figure.clear()
    step = np.arange(1, len(results) + 1)
    accepted = np.array([bool(r.accepted) for r in results])
    curves = {
        "residual norm": [r.trial_fnorm for r in results],
        "bound delta": [r.delta for r in results],
        "damping par": [r.par for r in results],
    }
    for axes, (name, values) in zip(figure.subplots(3, sharex=True), curves.items(), strict=True):
        y = np.array(values, float)
        axes.plot(step, y, "-", color="0.7", zorder=1)
        axes.scatter(step, y, s=20, facecolors=np.where(accepted, "C0", "white"), edgecolors="C0", zorder=2)
        axes.set_yscale("linear" if name == "damping par" else "log")  # par is often 0
        axes.set_ylabel(name)
    axes.set_xlabel("trial step (hollow: rejected)")


def main() -> None:
    if len(sys.argv) > 1:
        matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6, 6), layout="constrained")
    results: list[IntermediateResult] = []

    def watch(intermediate_result: IntermediateResult) -> None:
        results.append(intermediate_result)
        if len(sys.argv) == 1:
            draw(figure, results)
            plt.pause(0.2)

    leastsq(residuals, START, callback=watch)
    draw(figure, results)
    if len(sys.argv) > 1:
        figure.savefig(sys.argv[1], dpi=150)
    else:
        plt.show()


if __name__ == "__main__":
    main()
