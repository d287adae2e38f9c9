"""The points of one Jacobian evaluated side by side: by asyncio, by concurrent.futures, by a dask client.

    python parallel_jacobian.py        fits by each that is installed; exits with 1 unless all have leastsq's bits

`fit.ask()` gives all n points of a difference Jacobian at once; they may be evaluated by anybody, in any order. Where a
map will do, leastsq's `workers` is shorter.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pyminpack import LevenbergMarquardt, leastsq

Array: TypeAlias = NDArray[np.float64]
T = np.linspace(0, 4, 30)
DATA = 5 * np.exp(-0.5 * T) + 0.3 + 0.01 * np.sin(40 * T)
START = [1.0, 1.0, 0.0]


def residuals(x: Array) -> Array:
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - DATA)


def fit_with(evaluate: Callable[[Array], Any]) -> Array:
    """Fit; evaluate(points) returns the residuals at all of them."""
    fit = LevenbergMarquardt(START)
    while not fit.done:
        fit.tell(evaluate(fit.ask()))
    return fit.result()[0]


async def fit_by_asyncio(simulate: Callable[[Array], Awaitable[Array]]) -> Array:
    """Fit a function that is awaited, such as a request to a server."""
    fit = LevenbergMarquardt(START)
    while not fit.done:
        fit.tell(await asyncio.gather(*map(simulate, fit.ask())))
    return fit.result()[0]


async def answer_later(x: Array) -> Array:
    await asyncio.sleep(0.001)
    return residuals(x)


def by_threads() -> Array:
    with ThreadPoolExecutor() as pool:
        return fit_with(lambda points: [*pool.map(residuals, points)])


def by_dask() -> Array:
    from dask import distributed

    connect: Any = distributed.Client  # which has no types
    with connect(processes=False, dashboard_address=None) as client:
        return fit_with(lambda points: client.gather(client.map(residuals, [*points])))


def main() -> int:
    expected = leastsq(residuals, START)[0]
    ways: dict[str, Callable[[], Array]] = {
        "asyncio": lambda: asyncio.run(fit_by_asyncio(answer_later)),
        "concurrent.futures": by_threads,
        "dask": by_dask,
    }
    same = True
    for name, way in ways.items():
        try:
            x = way()
        except ImportError:
            print(f"{name}: not installed")
            continue
        equal = x.tobytes() == expected.tobytes()
        print(f"{name}: the bits of leastsq: {equal}")
        same = same and equal
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
