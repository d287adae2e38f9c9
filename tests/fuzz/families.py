"""Random residual families for the fuzz tests, from a seed and a few words; and the matrices behind them.

Everything is pure: the same arguments give the same bits. Much of it is not finite; call it under
`np.errstate(all="ignore")`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oracles.minpack_calls import Array

Random = np.random.Generator

RDWARF, RGIANT = 3.834e-20, 1.304e19  # enorm's thresholds; the upper one over the length of the vector


def edges(rng: Random, shape: tuple[int, ...]) -> Array:
    """Numbers at and beside one of enorm's thresholds, and zeros."""
    edge = rng.choice([RDWARF, RGIANT / max(shape[-1], 1)])
    return rng.choice([edge, -np.nextafter(edge, 0), np.nextafter(edge, np.inf), edge / 2, 0.0], shape)


# The data of a matrix, simplest first: "thresholds" spans those of enorm, "extreme" all of float64.
DATA: dict[str, Callable[[Random, tuple[int, ...]], Array]] = {
    "integers": lambda rng, shape: rng.integers(-3, 4, shape).astype(np.float64),
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "edges": edges,
    "thresholds": lambda rng, shape: rng.standard_normal(shape) * 10.0 ** rng.integers(-22, 21, shape),
    "extreme": lambda rng, shape: rng.standard_normal(shape) * 10.0 ** rng.integers(-320, 309, shape),
}


def ties(rng: Random, a: Array) -> None:
    """Columns of one norm: the first one with other signs; in every second matrix its rows are shuffled too."""
    a[:] = a[:, :1] * rng.choice([-1.0, 1.0], a.shape)
    a[1::2] = rng.permuted(a[1::2], axis=2)


def dependent(rng: Random, a: Array) -> None:
    """Half of the columns are multiples of the others."""
    rank = (a.shape[1] + 1) // 2
    for j in range(rank, a.shape[1]):
        a[:, j] = a[:, rng.integers(rank)] * rng.choice([1.0, -1.0, 2.0, 0.3])


def near(rng: Random, a: Array) -> None:
    """Columns that agree in 6 to 16 digits: their norms cancel, and from about 7 on are computed again."""
    digits = np.where(rng.random(len(a)) < 0.5, rng.uniform(6.5, 8, len(a)), rng.uniform(6, 16, len(a)))
    a[:, 1:] = a[:, :1] + a[:, 1:] * 10.0 ** -digits[:, np.newaxis, np.newaxis]


def zero_columns(rng: Random, a: Array) -> None:
    a[rng.random(a.shape[:2]) < 0.4] = rng.choice([0.0, -0.0])


def zero_rows(rng: Random, a: Array) -> None:
    a.swapaxes(1, 2)[rng.random(a.shape[::2]) < 0.4] = rng.choice([0.0, -0.0])


def graded(rng: Random, a: Array) -> None:
    """Columns that grow or shrink by a factor each."""
    a *= 10.0 ** (rng.choice([-5, -1, 1, 5]) * np.arange(a.shape[1], dtype=np.float64))[:, np.newaxis]


def triangular(rng: Random, a: Array) -> None:
    a *= np.tri(*a.shape[1:])


# What becomes of the data of a stack of matrices, indexed [member, column, row], simplest first.
STRUCTURES: dict[str, Callable[[Random, Array], None]] = {
    "dense": lambda rng, a: None,
    "ties": ties,
    "dependent": dependent,
    "near": near,
    "zero columns": zero_columns,
    "zero rows": zero_rows,
    "graded": graded,
    "triangular": triangular,
}


def matrices(rng: Random, data: str, structure: str, shape: tuple[int, int, int]) -> Array:
    """A stack of matrices, indexed [member, column, row], as MINPACK stores them."""
    a = DATA[data](rng, shape)
    STRUCTURES[structure](rng, a)
    return a


class Ridge:
    """Residuals phi(A x), row by row, where `slope` stands for the derivative of phi."""

    def __init__(self, phi: Callable[[Array], Array], slope: Callable[[Array], Array], a: Array) -> None:
        self.phi, self.slope, self.a = phi, slope, a

    def value(self, x: Array) -> Array:
        return self.phi(self.a @ x)

    def jacobian(self, x: Array) -> Array:
        return self.slope(self.a @ x)[:, np.newaxis] * self.a


class Exponentials:
    """A sum of decays in the first column of A: amplitude, rate, amplitude, rate, ..."""

    def __init__(self, a: Array) -> None:
        self.t, self.n = np.abs(a[:, :1]), a.shape[1]

    def value(self, x: Array) -> Array:
        rates = np.append(x[1::2], 0.0)[: (self.n + 1) // 2]
        return np.exp(-self.t * rates) @ x[::2]

    def jacobian(self, x: Array) -> Array:
        rates = np.append(x[1::2], 0.0)[: (self.n + 1) // 2]
        jacobian = np.empty((len(self.t), self.n))
        jacobian[:, ::2] = np.exp(-self.t * rates)
        jacobian[:, 1::2] = -self.t * (jacobian[:, ::2] * x[::2])[:, : self.n // 2]
        return jacobian


class Rational:
    """A quotient of polynomials in the first column of A: p(t) / (1 + t q(t)), coefficients of p, then of q."""

    def __init__(self, a: Array) -> None:
        self.p = (a.shape[1] + 1) // 2
        powers = a[:, :1] ** np.arange(self.p + 1)
        self.above, self.below = powers[:, : self.p], powers[:, 1 : a.shape[1] - self.p + 1]

    def value(self, x: Array) -> Array:
        return (self.above @ x[: self.p]) / (1 + self.below @ x[self.p :])

    def jacobian(self, x: Array) -> Array:
        quotient, divisor = self.value(x), 1 + self.below @ x[self.p :]
        return np.column_stack([self.above, -self.below * quotient[:, np.newaxis]]) / divisor[:, np.newaxis]


FAMILIES: dict[str, Callable[[Array], Ridge | Exponentials | Rational]] = {
    "linear": lambda a: Ridge(lambda z: z, np.ones_like, a),
    "constant": lambda a: Ridge(np.zeros_like, np.zeros_like, a),
    "square": lambda a: Ridge(lambda z: z * z, lambda z: 2 * z, a),
    "cubic": lambda a: Ridge(lambda z: z + z * z * z, lambda z: 1 + 3 * z * z, a),
    "kink": lambda a: Ridge(np.abs, np.sign, a),
    "steps": lambda a: Ridge(lambda z: np.floor(4 * z) / 4, np.ones_like, a),
    "sine": lambda a: Ridge(np.sin, np.cos, a),
    "exponential": lambda a: Ridge(np.exp, np.exp, a),
    "root": lambda a: Ridge(lambda z: np.sqrt(9 + z), lambda z: 0.5 / np.sqrt(9 + z), a),
    "logarithm": lambda a: Ridge(lambda z: np.log(9 + z), lambda z: 1 / (9 + z), a),
    "pole": lambda a: Ridge(lambda z: 1 / (1 + z), lambda z: -1 / ((1 + z) * (1 + z)), a),
    "exponentials": Exponentials,
    "rational": Rational,
}

# Where a solve starts, given a solution: simplest first.
STARTS: dict[str, Callable[[Random, Array], Array]] = {
    "ones": lambda rng, x: np.ones_like(x),
    "solution": lambda rng, x: x,
    "very near": lambda rng, x: x + 1e-8 * rng.standard_normal(x.size),
    "near": lambda rng, x: x + rng.standard_normal(x.size),
    "far": lambda rng, x: 100 * rng.standard_normal(x.size),
    "zero": lambda rng, x: np.zeros_like(x),
    "minus zero": lambda rng, x: -np.zeros_like(x),
    "some zero": lambda rng, x: x * rng.choice([-0.0, 0.0, 1.0], x.size),
    "denormal": lambda rng, x: x * 5e-324,
    "thresholds": lambda rng, x: DATA["thresholds"](rng, x.shape),
}


class Problem:
    """f_scale (family(x / x_scale) - family(x*) - noise), x* random, with a start."""

    def __init__(self, family: str, data: str, structure: str, start: str, m: int, n: int, seed: int, noise: float,
                 x_scale: float, f_scale: float) -> None:  # fmt: skip
        rng = np.random.default_rng(seed)
        self.family = FAMILIES[family](matrices(rng, data, structure, (1, n, m))[0].T)
        solution = DATA["integers" if data == "integers" else "normal"](rng, (n,))
        self.y = self.family.value(solution) + noise * rng.standard_normal(m)
        self.x_scale, self.f_scale = x_scale, f_scale
        self.start = STARTS[start](rng, solution) * x_scale

    def residuals(self, x: Array) -> Array:
        return self.f_scale * (self.family.value(x / self.x_scale) - self.y)

    def jacobian(self, x: Array) -> Array:
        return (self.f_scale / self.x_scale) * self.family.jacobian(x / self.x_scale)
