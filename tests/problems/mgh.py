"""The nonlinear least-squares problems of Moré, Garbow and Hillstrom, at the sizes of MINPACK's test driver.

Each formula is a pair: NAME(i, x), the residuals r, shape (m,), and NAME_jacobian(i, x), the derivatives
dr_i/dx_j, shape (m, n). There i is the residual index 1, 2, ..., m as a float64 vector, x the parameters
x1, ..., xn; all are dimensionless. "MGH 7" in a docstring is problem 7 of the paper. Nothing here calls BLAS:
the same x always gives the same bits.

Sources
-------
Moré, Garbow, Hillstrom, *Testing Unconstrained Optimization Software*, ACM TOMS 7(1), 1981: formulas, data.
MINPACK's least-squares driver, minpack-dev examples file17: numbering, starting points; file22: sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Formula = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Problem:
    """One problem at one size; str(problem) is unique, such as "bard-15x3" (m x n)."""

    name: str  # the field's name for it
    number: int  # MINPACK's number, 1..18
    m: int  # residuals
    n: int  # parameters, n <= m
    x0: tuple[float, ...]  # standard starting point, length n
    tries: int  # the driver starts from factor 1, 10, 100: the first `tries` of these
    formula: Formula = field(repr=False)
    formula_jacobian: Formula = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name.lower().replace(' ', '-')}-{self.m}x{self.n}"

    def start(self, factor: float = 1.0) -> Array:
        """The driver's start: factor * x0; if x0 is all zero and factor is not 1, every element is factor."""
        if factor != 1 and not any(self.x0):
            return np.full(self.n, float(factor))
        return factor * np.array(self.x0)

    def residuals(self, x: ArrayLike) -> Array:
        """r(x), a new array of shape (m,)."""
        return self._evaluate(self.formula, x)

    def jacobian(self, x: ArrayLike) -> Array:
        """dr_i/dx_j at x, a new array of shape (m, n) in C order."""
        return self._evaluate(self.formula_jacobian, x)

    def _evaluate(self, formula: Formula, x: ArrayLike) -> Array:
        """formula at any x of shape (n,); overflow and division by zero give inf or NaN, no warning."""
        i = np.arange(1, self.m + 1, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(formula(i, np.array(x, dtype=np.float64)), dtype=np.float64)


def linear_full_rank(i: Array, x: Array) -> Array:
    """r_i = x_i - (2/m) sum(x) - 1, where x_i = 0 for i > n. MGH 32."""
    r = np.full(i.size, -2 * x.sum() / i.size - 1)
    r[: x.size] += x
    return r


def linear_full_rank_jacobian(i: Array, x: Array) -> Array:
    return np.eye(i.size, x.size) - 2 / i.size


def linear_rank_1(i: Array, x: Array) -> Array:
    """r_i = i sum(j x_j) - 1. MGH 33."""
    j = np.arange(1.0, x.size + 1)
    return i * (j * x).sum() - 1


def linear_rank_1_jacobian(i: Array, x: Array) -> Array:
    return np.outer(i, np.arange(1.0, x.size + 1))


def linear_rank_1_zeros(i: Array, x: Array) -> Array:
    """r_i = (i - 1) sum(j x_j, j = 2..n-1) - 1 for i < m, r_m = -1. MGH 34."""
    j = np.arange(1.0, x.size + 1)
    r = (i - 1) * (j * x)[1:-1].sum() - 1
    r[-1] = -1
    return r


def linear_rank_1_zeros_jacobian(i: Array, x: Array) -> Array:
    jac = np.zeros((i.size, x.size))
    jac[1:-1, 1:-1] = np.outer(i[1:-1] - 1, np.arange(2.0, x.size))
    return jac


def rosenbrock(i: Array, x: Array) -> Array:
    """r = 10 (x2 - x1^2), 1 - x1. MGH 1."""
    x1, x2 = x
    return np.array([10 * (x2 - x1**2), 1 - x1])


def rosenbrock_jacobian(i: Array, x: Array) -> Array:
    return np.array([[-20 * x[0], 10], [-1, 0]])


def helical_valley(i: Array, x: Array) -> Array:
    """r = 10 (x3 - 10 turn), 10 (hypot(x1, x2) - 1), x3. MGH 7.

    turn is the angle of (x1, x2) in turns, from -1/4 to 3/4; where x1 = 0 it is 1/4 with the sign of x2.
    """
    x1, x2, x3 = x
    turn = np.copysign(0.25, x2) if x1 == 0 else np.arctan(x2 / x1) / (2 * np.pi) + 0.5 * (x1 < 0)
    return np.array([10 * (x3 - 10 * turn), 10 * (np.sqrt(x1**2 + x2**2) - 1), x3])


def helical_valley_jacobian(i: Array, x: Array) -> Array:
    x1, x2, _ = x
    square = x1**2 + x2**2
    a, b = 100 / (2 * np.pi * square), 10 / np.sqrt(square)
    return np.array([[a * x2, -a * x1, 10], [b * x1, b * x2, 0], [0, 0, 1]])


def powell_singular(i: Array, x: Array) -> Array:
    """r = x1 + 10 x2, sqrt(5) (x3 - x4), (x2 - 2 x3)^2, sqrt(10) (x1 - x4)^2. MGH 13."""
    x1, x2, x3, x4 = x
    return np.array([x1 + 10 * x2, np.sqrt(5) * (x3 - x4), (x2 - 2 * x3) ** 2, np.sqrt(10) * (x1 - x4) ** 2])


def powell_singular_jacobian(i: Array, x: Array) -> Array:
    x1, x2, x3, x4 = x
    s, a, b = np.sqrt(5), 2 * (x2 - 2 * x3), 2 * np.sqrt(10) * (x1 - x4)
    return np.array([[1, 10, 0, 0], [0, 0, s, -s], [0, a, -2 * a, 0], [b, 0, 0, -b]])


def freudenstein_roth(i: Array, x: Array) -> Array:
    """r = -13 + x1 + ((5 - x2) x2 - 2) x2, -29 + x1 + ((x2 + 1) x2 - 14) x2. MGH 2."""
    x1, x2 = x
    return np.array([-13 + x1 + ((5 - x2) * x2 - 2) * x2, -29 + x1 + ((x2 + 1) * x2 - 14) * x2])


def freudenstein_roth_jacobian(i: Array, x: Array) -> Array:
    _, x2 = x
    return np.array([[1, (10 - 3 * x2) * x2 - 2], [1, (2 + 3 * x2) * x2 - 14]])


BARD_Y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(i: Array, x: Array) -> Array:
    """r_i = y_i - (x1 + i / (v x2 + w x3)), v = 16 - i, w = min(i, v). MGH 8."""
    x1, x2, x3 = x
    v = 16 - i
    return BARD_Y - (x1 + i / (v * x2 + np.minimum(i, v) * x3))


def bard_jacobian(i: Array, x: Array) -> Array:
    _, x2, x3 = x
    v = 16 - i
    w = np.minimum(i, v)
    square = (v * x2 + w * x3) ** 2
    return np.column_stack([-np.ones_like(i), i * v / square, i * w / square])


KOWALIK_Y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_osborne(i: Array, x: Array) -> Array:
    """r_i = y_i - x1 (u^2 + u x2) / (u^2 + u x3 + x4), u = u_i. MGH 15."""
    x1, x2, x3, x4 = x
    u = KOWALIK_U
    return KOWALIK_Y - x1 * (u * (u + x2)) / (u * (u + x3) + x4)


def kowalik_osborne_jacobian(i: Array, x: Array) -> Array:
    x1, x2, x3, x4 = x
    u = KOWALIK_U
    below = u * (u + x3) + x4
    ratio, slope = u * (u + x2) / below, x1 * u / below
    return np.column_stack([-ratio, -slope, ratio * slope, ratio * slope / u])


MEYER_Y = np.array([
    34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872,
])  # fmt: skip


def meyer(i: Array, x: Array) -> Array:
    """r_i = x1 exp(x2 / (t + x3)) - y_i, t = 45 + 5 i. MGH 10."""
    x1, x2, x3 = x
    return x1 * np.exp(x2 / (45 + 5 * i + x3)) - MEYER_Y


def meyer_jacobian(i: Array, x: Array) -> Array:
    x1, x2, x3 = x
    below = 45 + 5 * i + x3
    e = np.exp(x2 / below)
    return np.column_stack([e, x1 * e / below, -(x2 / below) * (x1 * e / below)])


def watson(i: Array, x: Array) -> Array:
    """r_i = p'(t) - p(t)^2 - 1, t = i / 29, p(t) = sum(x_j t^(j-1)); then x1, x2 - x1^2 - 1. MGH 20."""
    t, j = i[:29, np.newaxis] / 29, np.arange(x.size)
    p, slope = (t**j * x).sum(axis=1), (j[1:] * t ** j[:-1] * x[1:]).sum(axis=1)
    return np.append(slope - p**2 - 1, [x[0], x[1] - x[0] ** 2 - 1])


def watson_jacobian(i: Array, x: Array) -> Array:
    t, j = i[:29, np.newaxis] / 29, np.arange(x.size)
    p = (t**j * x).sum(axis=1, keepdims=True)
    jac = np.zeros((31, x.size))
    jac[:29] = t ** (j - 1) * (j - 2 * t * p)
    jac[29:, :2] = [[1, 0], [-2 * x[0], 1]]
    return jac


def box_3d(i: Array, x: Array) -> Array:
    """r_i = exp(-t x1) - exp(-t x2) - x3 (exp(-t) - exp(-10 t)), t = i / 10. MGH 12."""
    x1, x2, x3 = x
    t = i / 10
    return np.exp(-t * x1) - np.exp(-t * x2) + (np.exp(-i) - np.exp(-t)) * x3


def box_3d_jacobian(i: Array, x: Array) -> Array:
    x1, x2, _ = x
    t = i / 10
    return np.column_stack([-t * np.exp(-t * x1), t * np.exp(-t * x2), np.exp(-i) - np.exp(-t)])


def jennrich_sampson(i: Array, x: Array) -> Array:
    """r_i = 2 + 2 i - (exp(i x1) + exp(i x2)). MGH 6."""
    x1, x2 = x
    return 2 + 2 * i - np.exp(i * x1) - np.exp(i * x2)


def jennrich_sampson_jacobian(i: Array, x: Array) -> Array:
    return -i[:, np.newaxis] * np.exp(i[:, np.newaxis] * x)


def brown_dennis(i: Array, x: Array) -> Array:
    """r_i = (x1 + t x2 - exp(t))^2 + (x3 + x4 sin(t) - cos(t))^2, t = i / 5. MGH 16."""
    x1, x2, x3, x4 = x
    t = i / 5
    return (x1 + t * x2 - np.exp(t)) ** 2 + (x3 + np.sin(t) * x4 - np.cos(t)) ** 2


def brown_dennis_jacobian(i: Array, x: Array) -> Array:
    x1, x2, x3, x4 = x
    t = i / 5
    a, b = 2 * (x1 + t * x2 - np.exp(t)), 2 * (x3 + np.sin(t) * x4 - np.cos(t))
    return np.column_stack([a, t * a, b, np.sin(t) * b])


def chebyshev(first: Array, y: Array, count: int) -> Array:
    """Rows 0..count of P_0 = 1, P_1 = first, P_(k+1) = 2 y P_k - P_(k-1): T_k if first = y, U_k if 2 y."""
    rows = [np.ones_like(y), first]
    while len(rows) <= count:
        rows.append(2 * y * rows[-1] - rows[-2])
    return np.array(rows[: count + 1])


def chebyquad(i: Array, x: Array) -> Array:
    """r_i = mean(T_i(y)) - integral of T_i(2 s - 1) for s in (0, 1), y = 2 x - 1. MGH 35.

    T_i is the Chebyshev polynomial; the integral is 0 for odd i, -1 / (i^2 - 1) for even i.
    """
    y = 2 * x - 1
    r = chebyshev(y, y, i.size)[1:].mean(axis=1)
    r[1::2] += 1 / (i[1::2] ** 2 - 1)
    return r


def chebyquad_jacobian(i: Array, x: Array) -> Array:
    """By dT_i/dy = i U_(i-1)(y)."""
    y = 2 * x - 1
    return 2 * i[:, np.newaxis] * chebyshev(2 * y, y, i.size - 1) / x.size


def brown_almost_linear(i: Array, x: Array) -> Array:
    """r_i = x_i + sum(x) - (n + 1) for i < n, r_n = prod(x) - 1. MGH 27."""
    r = x + (x.sum() - (x.size + 1))
    r[-1] = x.prod() - 1
    return r


def brown_almost_linear_jacobian(i: Array, x: Array) -> Array:
    """The last row holds the products of all x but x_j, right for zeros among the x too."""
    eye = np.eye(x.size)
    jac = eye + 1
    jac[-1] = np.where(eye == 1, 1, x).prod(axis=1)
    return jac


OSBORNE_1_Y = np.array([
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628,
    0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420,
    0.414, 0.411, 0.406,
])  # fmt: skip


def osborne_1(i: Array, x: Array) -> Array:
    """r_i = y_i - (x1 + x2 exp(-t x4) + x3 exp(-t x5)), t = 10 (i - 1). MGH 17."""
    t = 10 * (i[:, np.newaxis] - 1)
    return OSBORNE_1_Y - (x[0] + (x[1:3] * np.exp(-x[3:] * t)).sum(axis=1))


def osborne_1_jacobian(i: Array, x: Array) -> Array:
    t = 10 * (i[:, np.newaxis] - 1)
    e = np.exp(-x[3:] * t)
    return np.hstack([-np.ones_like(t), -e, t * x[1:3] * e])


OSBORNE_2_Y = np.array([
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616,
    0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495,
    0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672,
    0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581,
    0.428, 0.292, 0.162, 0.098, 0.054,
])  # fmt: skip


def osborne_2(i: Array, x: Array) -> Array:
    """r_i = y_i - sum(x_k exp(-x_(k+4) d_k), k = 1..4), t = (i - 1) / 10. MGH 19.

    d_1 = t, else d_k = (t - x_(k+7))^2.
    """
    t = (i[:, np.newaxis] - 1) / 10
    d = np.hstack([t, (t - x[8:]) ** 2])
    return OSBORNE_2_Y - (x[:4] * np.exp(-x[4:8] * d)).sum(axis=1)


def osborne_2_jacobian(i: Array, x: Array) -> Array:
    t = (i[:, np.newaxis] - 1) / 10
    d = np.hstack([t, (t - x[8:]) ** 2])
    e = np.exp(-x[4:8] * d)
    return np.hstack([-e, x[:4] * d * e, -2 * x[1:4] * x[5:8] * (t - x[8:]) * e[:, 1:]])


def equispaced(n: int) -> tuple[float, ...]:
    """j / (n + 1) for j = 1..n, rounded as the driver does: j times the reciprocal."""
    return tuple(j * (1 / (n + 1)) for j in range(1, n + 1))


FORMULAS: dict[int, tuple[str, Formula, Formula]] = {
    1: ("Linear full rank", linear_full_rank, linear_full_rank_jacobian),
    2: ("Linear rank 1", linear_rank_1, linear_rank_1_jacobian),
    3: ("Linear rank 1 with zeros", linear_rank_1_zeros, linear_rank_1_zeros_jacobian),
    4: ("Rosenbrock", rosenbrock, rosenbrock_jacobian),
    5: ("Helical valley", helical_valley, helical_valley_jacobian),
    6: ("Powell singular", powell_singular, powell_singular_jacobian),
    7: ("Freudenstein and Roth", freudenstein_roth, freudenstein_roth_jacobian),
    8: ("Bard", bard, bard_jacobian),
    9: ("Kowalik and Osborne", kowalik_osborne, kowalik_osborne_jacobian),
    10: ("Meyer", meyer, meyer_jacobian),
    11: ("Watson", watson, watson_jacobian),
    12: ("Box 3-D", box_3d, box_3d_jacobian),
    13: ("Jennrich and Sampson", jennrich_sampson, jennrich_sampson_jacobian),
    14: ("Brown and Dennis", brown_dennis, brown_dennis_jacobian),
    15: ("Chebyquad", chebyquad, chebyquad_jacobian),
    16: ("Brown almost-linear", brown_almost_linear, brown_almost_linear_jacobian),
    17: ("Osborne 1", osborne_1, osborne_1_jacobian),
    18: ("Osborne 2", osborne_2, osborne_2_jacobian),
}

# The rows of file22 (number, n, m, tries), each with its x0.
CASES: tuple[tuple[int, int, int, int, tuple[float, ...]], ...] = (
    (1, 5, 10, 1, (1.0,) * 5),
    (1, 5, 50, 1, (1.0,) * 5),
    (2, 5, 10, 1, (1.0,) * 5),
    (2, 5, 50, 1, (1.0,) * 5),
    (3, 5, 10, 1, (1.0,) * 5),
    (3, 5, 50, 1, (1.0,) * 5),
    (4, 2, 2, 3, (-1.2, 1.0)),
    (5, 3, 3, 3, (-1.0, 0.0, 0.0)),
    (6, 4, 4, 3, (3.0, -1.0, 0.0, 1.0)),
    (7, 2, 2, 3, (0.5, -2.0)),
    (8, 3, 15, 3, (1.0, 1.0, 1.0)),
    (9, 4, 11, 3, (0.25, 0.39, 0.415, 0.39)),
    (10, 3, 16, 2, (0.02, 4000.0, 250.0)),
    (11, 6, 31, 3, (0.0,) * 6),
    (11, 9, 31, 3, (0.0,) * 9),
    (11, 12, 31, 3, (0.0,) * 12),
    (12, 3, 10, 1, (0.0, 10.0, 20.0)),
    (13, 2, 10, 1, (0.3, 0.4)),
    (14, 4, 20, 3, (25.0, 5.0, -5.0, -1.0)),
    (15, 1, 8, 3, equispaced(1)),
    (15, 8, 8, 1, equispaced(8)),
    (15, 9, 9, 1, equispaced(9)),
    (15, 10, 10, 1, equispaced(10)),
    (16, 10, 10, 3, (0.5,) * 10),
    (16, 30, 30, 1, (0.5,) * 30),
    (16, 40, 40, 1, (0.5,) * 40),
    (17, 5, 33, 1, (0.5, 1.5, -1.0, 0.01, 0.02)),
    (18, 11, 65, 1, (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5)),
)

PROBLEMS: tuple[Problem, ...] = tuple(
    Problem(name, number, m, n, x0, tries, formula, formula_jacobian)
    for number, n, m, tries, x0 in CASES
    for name, formula, formula_jacobian in [FORMULAS[number]]
)
