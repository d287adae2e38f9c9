"""What people fit: curves y(t; p) with exact Jacobians.

A model's `value` is analytic in p, so that `test_models.py` can check `columns` by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float64, or complex128 for the check


@dataclass(frozen=True, eq=False)
class Model:
    """A curve, the true parameters of its data, and a fit's initial guess."""

    name: str
    points: Callable[[int], Any]  # m -> the abscissae t of m points
    value: Callable[[Any, Array], Array]  # t, p -> y, shape (m,)
    columns: Callable[[Any, Array], list[Array]]  # t, p -> dy/dp[j], n of shape (m,)
    true: list[float]
    start: list[float]
    linear: list[int]  # the parameters in units of y


def line(low: float, high: float) -> Callable[[int], Array]:
    return lambda m: np.linspace(low, high, m)


def background(coefficients: Array, t: Array) -> Array | float:
    """Horner's rule, lowest coefficient first; nothing without coefficients."""
    y: Array | float = 0.0
    for coefficient in coefficients[::-1]:
        y = y * t + coefficient
    return y


def powers(t: Array, n: int) -> list[Array]:
    return [t**k if k else np.ones_like(t) for k in range(n)]


def gaussian(z: Array) -> tuple[Array, Array]:
    """A line shape, and its derivative with respect to z."""
    y = np.exp(-z * z / 2)
    return y, -z * y


def lorentzian(z: Array) -> tuple[Array, Array]:
    y = 1 / (1 + z * z)
    return y, -2 * z * y * y


def peaks(shape: Callable[[Array], tuple[Array, Array]], count: int, order: int) -> Model:
    """Sum of A f((t - c)/w), p = A, c, w of each, and a polynomial of `order` coefficients, on 0 to 100.

    A single peak has width 1: nine tenths of the points are tail, where its entries fall to 1e-300 and 0.
    """

    def value(t: Array, p: Array) -> Array:
        y = background(p[3 * count :], t)
        for a, c, w in p[: 3 * count].reshape(count, 3):
            y = y + a * shape((t - c) / w)[0]
        return y

    def columns(t: Array, p: Array) -> list[Array]:
        rows = []
        for a, c, w in p[: 3 * count].reshape(count, 3):
            z = (t - c) / w
            y, slope = shape(z)
            slope = slope * (-a / w)
            rows += [y, slope, slope * z]
        return rows + powers(t, order)

    name = f"{shape.__name__.capitalize()} peak" + ("" if count == 1 else "s")
    name = (name if count == 1 else f"{count} {name}") + (" on a line" if order else "")
    rng = np.random.default_rng(count)
    centres = 100 * (np.arange(count) + 0.5) / count
    true = np.column_stack([1 + rng.random(count), centres, np.full(count, 1.5 if count == 1 else 20 / count)]).ravel()
    start = true * rng.uniform(0.9, 1.1, true.size)
    start[1::3] = true[1::3] + 0.3 * true[2::3]
    rest = [0.5, 0.002][:order]
    return Model(name, line(0, 100), value, columns, [*true, *rest], [*start, *(0.8 * np.array(rest))],
                 [*range(0, 3 * count, 3), *range(3 * count, 3 * count + order)])  # fmt: skip


def peak_2d() -> Model:
    """A tilted Gaussian on a square grid and a constant: A, x0, y0, sx, sy, tilt, offset."""

    def points(m: int) -> Array:
        side = np.linspace(-10, 10, round(m**0.5))
        assert side.size**2 == m, "a square grid"
        return np.array([axis.ravel() for axis in np.meshgrid(side, side)])

    def turned(t: Array, p: Array) -> tuple[Array, Array]:
        dx, dy, cos, sin = t[0] - p[1], t[1] - p[2], np.cos(p[5]), np.sin(p[5])
        return dx * cos + dy * sin, dy * cos - dx * sin

    def value(t: Array, p: Array) -> Array:
        u, v = turned(t, p)
        return p[0] * np.exp(-((u / p[3]) ** 2 + (v / p[4]) ** 2) / 2) + p[6]

    def columns(t: Array, p: Array) -> list[Array]:
        u, v = turned(t, p)
        cos, sin = np.cos(p[5]), np.sin(p[5])
        gu, gv = u / p[3] ** 2, v / p[4] ** 2
        shape = np.exp(-(u * gu + v * gv) / 2)
        y = p[0] * shape
        return [shape, y * (gu * cos - gv * sin), y * (gu * sin + gv * cos), y * u * gu / p[3], y * v * gv / p[4],
                y * (gv * u - gu * v), np.ones_like(y)]  # fmt: skip

    return Model("2-D Gaussian peak", points, value, columns, [2, 1, -1, 2, 1, 0.5, 0.1],
                 [1.5, 0.7, -0.8, 1.8, 1.2, 0.4, 0.0], [0, 6])  # fmt: skip


def decays(count: int) -> Model:
    """Sum of A exp(-k t), p = A, k of each, and a constant."""

    def value(t: Array, p: Array) -> Array:
        y = p[-1]
        for a, k in p[:-1].reshape(count, 2):
            y = y + a * np.exp(-k * t)
        return y

    def columns(t: Array, p: Array) -> list[Array]:
        rows = []
        for a, k in p[:-1].reshape(count, 2):
            decay = np.exp(-k * t)
            rows += [decay, -a * t * decay]
        return [*rows, np.ones_like(t)]

    true, start = [2, 1, 1.5, 8, 1, 60][: 2 * count], [1.8, 1.2, 1.3, 9, 1.1, 50][: 2 * count]
    name = "decay" if count == 1 else f"{count} decays"
    return Model(name, line(0, 3), value, columns, [*true, 0.5], [*start, 0.3], [*range(0, 2 * count + 1, 2)])


def sine() -> Model:
    """A sin(w t + phase) + offset."""
    return Model(
        "sine", line(0, 10),
        lambda t, p: p[0] * np.sin(p[1] * t + p[2]) + p[3],
        lambda t, p: [np.sin(p[1] * t + p[2]), p[0] * t * np.cos(p[1] * t + p[2]), p[0] * np.cos(p[1] * t + p[2]),
                      np.ones_like(t)],
        [2, 3, 0.5, 1], [1.5, 2.95, 0.7, 0.8], [0, 3],
    )  # fmt: skip


def logistic() -> Model:
    """A/(1 + exp(-k (t - t0)))."""

    def columns(t: Array, p: Array) -> list[Array]:
        y = 1 / (1 + np.exp(-p[1] * (t - p[2])))
        slope = p[0] * y * (1 - y)
        return [y, (t - p[2]) * slope, -p[1] * slope]

    return Model("logistic curve", line(-10, 10), lambda t, p: p[0] / (1 + np.exp(-p[1] * (t - p[2]))), columns,
                 [2, 1.5, 0.5], [1.5, 1, 0], [0])  # fmt: skip


def power_law() -> Model:
    """A t**k."""
    return Model("power law", line(0.1, 10), lambda t, p: p[0] * t ** p[1],
                 lambda t, p: [t ** p[1], p[0] * np.log(t) * t ** p[1]], [2, 1.7], [1, 1], [0])  # fmt: skip


def polynomial(n: int) -> Model:
    """n coefficients."""
    name = "mean" if n == 1 else f"polynomial of degree {n - 1}"
    return Model(name, line(-1, 1), lambda t, p: background(p, t) + 0 * t, lambda t, p: powers(t, n),
                 [1 / (k + 1) for k in range(n)], [0.1] * n, [*range(n)])  # fmt: skip


def global_decays(sets: int) -> Model:
    """`sets` data sets A[i] exp(-k1 t) + B[i] exp(-k2 t): two shared rates, then A, B of each.

    A set's rows are zero in the columns of the other sets.
    """

    def points(m: int) -> Array:
        assert m % sets == 0, f"{sets} sets of one size"
        return np.linspace(0, 3, m // sets)

    def value(t: Array, p: Array) -> Array:
        return np.ravel(p[2:].reshape(sets, 2) @ np.exp(np.multiply.outer(-p[:2], t)))

    def columns(t: Array, p: Array) -> list[Array]:
        amplitudes = p[2:].reshape(sets, 2)
        decay = np.exp(np.multiply.outer(-p[:2], t))
        rows = [np.multiply.outer(amplitudes[:, k], -t * decay[k]).ravel() for k in range(2)]
        for i in range(sets):
            for k in range(2):
                row = np.zeros((sets, t.size), p.dtype)
                row[i] = decay[k]
                rows.append(row.ravel())
        return rows

    rng = np.random.default_rng(sets)
    amplitudes = rng.uniform(1, 2, 2 * sets)
    return Model(f"{sets} data sets, 2 shared rates", points, value, columns, [1, 8, *amplitudes],
                 [1.2, 7, *(0.8 * amplitudes)], [*range(2, 2 * sets + 2)])  # fmt: skip


def equal_columns(name: str, curve: Callable[[Array], Array]) -> Model:
    """(a + b + c) curve(t), in which a, b and c are indistinguishable."""
    return Model(f"equal columns, {name}", line(0, 3), lambda t, p: (p[0] + p[1] + p[2]) * curve(t),
                 lambda t, p: [curve(t)] * 3, [1, 1, 1], [1.5, 0.2, 0.7], [0, 1, 2])  # fmt: skip


def zero_jacobian() -> Model:
    """1, whatever the three parameters are."""
    return Model("zero Jacobian", line(0, 1), lambda t, p: np.ones_like(t) + 0 * p[0],
                 lambda t, p: [np.zeros_like(t)] * 3, [1, 2, 3], [2, 3, 4], [])  # fmt: skip


def nan_at_one_point() -> Model:
    """A decay with one NaN among its abscissae."""

    def points(m: int) -> Array:
        t = np.linspace(0, 3, m)
        t[m // 2] = np.nan
        return t

    model = decays(1)
    return Model("NaN at one point", points, model.value, model.columns, model.true, model.start, model.linear)


@cache
def matrix(m: int, n: int) -> Array:
    return np.random.default_rng(m + n).standard_normal((m, n))


def random_matrix(n: int) -> Model:
    """z + z**2/100 with z = G p, for a random matrix G."""

    def columns(t: Array, p: Array) -> list[Array]:
        return list(((1 + 0.02 * (t @ p))[:, np.newaxis] * t).T)

    return Model("random matrix", lambda m: matrix(m, n), lambda t, p: t @ p + 0.01 * (t @ p) ** 2, columns,
                 [1.0] * n, [0.0] * n, [])  # fmt: skip


def rosenbrock() -> Model:
    """Rosenbrock's valley, from its usual start: the data are 0."""
    return Model("Rosenbrock", lambda m: None, lambda t, p: np.array([10 * (p[1] - p[0] ** 2), 1 - p[0]]),
                 lambda t, p: [np.array([-20 * p[0], -1 + 0 * p[0]]), np.array([10 + 0 * p[0], 0 * p[0]])],
                 [1, 1], [-1.2, 1], [])  # fmt: skip
