"""An expensive simulation whose fit survives kill -9: its state is saved after each evaluation.

    python survives_kill.py STATE      begins a fit, or continues the one in STATE; prints the result

Kill it as often as you like, and start it again: only the evaluation that was running is done twice, and the result has
the bits of a fit that nobody killed.
"""

import os
import pickle
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyminpack import LevenbergMarquardt

T = np.linspace(0, 4, 30)
DATA = 5 * np.exp(-0.5 * T) + 0.3 + 0.01 * np.sin(40 * T)


def simulate(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The residuals; in real life, an hour's simulation."""
    print("simulating at", *x, flush=True)
    time.sleep(0.05)
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - DATA)


def save(fit: LevenbergMarquardt, path: Path) -> None:
    """Write a fit to a file, which at any moment holds the old state or the new one."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        pickle.dump(fit, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def main() -> None:
    path = Path(sys.argv[1])
    fit = pickle.loads(path.read_bytes()) if path.exists() else LevenbergMarquardt([1.0, 1.0, 0.0])
    while not fit.done:
        points = fit.ask()
        for j in fit.wanted:  # the points without an answer: all n of a Jacobian, or what a killed process left
            fit.tell(simulate(points[j]), point=j)
            save(fit, path)
    x, _, infodict, _, ier = fit.result()
    print(ier, infodict["nfev"], *(value.hex() for value in x))


if __name__ == "__main__":
    main()
