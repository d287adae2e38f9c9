"""An expensive simulation whose fit survives kill -9: its state is saved after each tell.

    python survives_kill.py STATE      begins a fit, or goes on with what STATE has; prints the result

Kill it as often as you like, and start it again: only the evaluations that were under way are done twice, and the
result has the bits of a fit that nobody killed.
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
    """The residuals; in earnest, hours of a simulation."""
    time.sleep(0.02)
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - DATA)


def save(fit: LevenbergMarquardt, path: Path) -> None:
    """Put a fit into a file, which at any moment has the old state or the new one."""
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
        fit.tell([simulate(x) for x in fit.ask()])
        save(fit, path)
    x, _, infodict, _, ier = fit.result()
    print(ier, infodict["nfev"], *(value.hex() for value in x))


if __name__ == "__main__":
    main()
