"""Problems whose fits from near the solution are sound, so that nothing is to be warned of. `problems` makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from oracles.minpack_calls import Array
from problems import nist

T = np.linspace(0.0, 4.0, 60)
S = np.linspace(-3.0, 3.0, 60)
POWERS = S[:, np.newaxis] ** np.arange(6)


def decay(p: Array) -> Array:
    return p[0] * np.exp(-p[1] * T) + p[2]


def decay_jacobian(p: Array) -> Array:
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)


def peak(p: Array) -> Array:
    return p[0] * np.exp(-0.5 * ((S - p[1]) / p[2]) ** 2) + p[3]


def peak_jacobian(p: Array) -> Array:
    z = (S - p[1]) / p[2]
    e = np.exp(-0.5 * z**2)
    return np.stack([e, p[0] * e * z / p[2], p[0] * e * z**2 / p[2], np.ones_like(S)], axis=1)


def resonance(p: Array) -> Array:
    return p[0] / (1 + ((S - p[1]) / p[2]) ** 2)


def resonance_jacobian(p: Array) -> Array:
    z = (S - p[1]) / p[2]
    d = 1 / (1 + z**2)
    return np.stack([d, 2 * p[0] * d**2 * z / p[2], 2 * p[0] * d**2 * z**2 / p[2]], axis=1)


def growth(p: Array) -> Array:
    return p[0] / (1 + np.exp(-p[1] * (T - p[2])))


def growth_jacobian(p: Array) -> Array:
    g = 1 / (1 + np.exp(-p[1] * (T - p[2])))
    return np.stack([g, p[0] * g * (1 - g) * (T - p[2]), -p[0] * g * (1 - g) * p[1]], axis=1)


def sine(p: Array) -> Array:
    return p[0] * np.sin(p[1] * T + p[2])


def sine_jacobian(p: Array) -> Array:
    phase = p[1] * T + p[2]
    return np.stack([np.sin(phase), p[0] * T * np.cos(phase), p[0] * np.cos(phase)], axis=1)


def power(p: Array) -> Array:
    return p[0] * (1 + T) ** p[1]


def power_jacobian(p: Array) -> Array:
    u = (1 + T) ** p[1]
    return np.stack([u, p[0] * u * np.log(1 + T)], axis=1)


def polynomial(p: Array) -> Array:
    return POWERS @ p


def polynomial_jacobian(p: Array) -> Array:
    return POWERS


def square(p: Array) -> Array:
    """As many residuals as variables."""
    return p + 0.1 * np.sin(p[::-1])


def square_jacobian(p: Array) -> Array:
    return np.eye(p.size) + 0.1 * np.diag(np.cos(p[::-1]))[::-1].T


# Model, its Jacobian, and parameters of about their size in these units.
MODELS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], list[float]]] = {
    "decay": (decay, decay_jacobian, [3.0, 0.7, 0.2]),
    "peak": (peak, peak_jacobian, [2.0, 0.4, 0.8, 0.1]),
    "resonance": (resonance, resonance_jacobian, [2.0, -0.3, 0.9]),
    "growth": (growth, growth_jacobian, [5.0, 2.0, 1.5]),
    "sine": (sine, sine_jacobian, [1.5, 2.1, 0.4]),
    "power": (power, power_jacobian, [1.2, -1.3]),
    "polynomial": (polynomial, polynomial_jacobian, [1.0, -2.0, 0.5, 0.3, -0.1, 0.02]),
    "square": (square, square_jacobian, [0.7, -1.2, 2.0]),
}


@dataclass(frozen=True)
class Problem:
    """Residuals, shape (m,), their Jacobian, shape (m, n), and parameters near the solution."""

    name: str
    residuals: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    near: Array
    is_bounded: bool = False


def scaled(model: str, noise: float, unit: Array, y_unit: float, rng: np.random.Generator) -> Problem:
    """A model with parameters in `unit`, values in `y_unit`, and data of a relative noise."""
    function, jacobian, size = MODELS[model]
    truth = np.array(size) * rng.uniform(0.8, 1.25, len(size))
    y = function(truth)
    y = y + noise * np.ptp(y) * rng.standard_normal(y.size)
    return Problem(
        f"{model}, noise {noise:.1e}, units {unit.tolist()} and {y_unit:.1e}",
        lambda p: y_unit * (function(p / unit) - y),
        lambda p: y_unit * jacobian(p / unit) / unit,
        truth * unit,
    )


def problems(count: int, seed: int) -> Iterator[Problem]:
    """`count` of the models, in units from 1e-12 to 1e12 and with noise from 1e-9 to 0.3; then NIST's."""
    rng = np.random.default_rng(seed)
    for model in islice(cycle(MODELS), count):
        noise = 10.0 ** rng.uniform(-9, np.log10(0.3))
        unit = 10.0 ** rng.uniform(-12, 12, len(MODELS[model][2]))
        yield scaled(model, noise, unit, 10.0 ** rng.uniform(-12, 12), rng)
    for problem in nist.PROBLEMS:
        yield Problem(problem.name, problem.residuals, problem.jacobian, problem.certified)


# Transformations of the real line to what lies above 0, or between 0 and 10: each with its derivative, and a point for
# which it is 1. lmfit and Minuit keep bounds by the second and the third.
BOUNDS: dict[str, tuple[Callable[[float], float], Callable[[float], float], float]] = {
    "square": (lambda q: q**2, lambda q: 2 * q, 1.0),
    "lower bound": (lambda q: np.hypot(q, 1) - 1, lambda q: q / np.hypot(q, 1), 3**0.5),
    "both bounds": (lambda q: 5 * (np.sin(q) + 1), lambda q: 5 * np.cos(q), np.arcsin(-0.8)),
    "exp": (np.exp, np.exp, 0.0),
    "logistic": (lambda q: 10 / (1 + np.exp(-q)), lambda q: 10 / (2 + np.exp(-q) + np.exp(q)), -np.log(9.0)),
}


def bounded(model: str, bound: str, noise: float, gap: float, rng: np.random.Generator) -> Problem:
    """A model one of whose parameters is kept by a transformation at `gap` of its size from where it should be."""
    function, jacobian, size = MODELS[model]
    transform, derivative, one = BOUNDS[bound]
    truth = np.array(size) * rng.uniform(0.8, 1.25, len(size))
    y = function(truth)
    y = y + noise * np.ptp(y) * rng.standard_normal(y.size)
    j = rng.integers(len(size))
    unit = abs(truth[j]) * rng.choice([-1, 1]) * 10.0 ** rng.uniform(-1, 0)
    end = truth[j] + np.sign(unit) * gap * abs(truth[j])

    def inside(p: Array) -> Array:
        return np.where(np.arange(p.size) == j, end + unit * transform(p[j]), p)

    def chain(p: Array) -> Array:
        return np.where(np.arange(p.size) == j, unit * derivative(p[j]), 1.0)

    def residuals(p: Array) -> Array:
        with np.errstate(all="ignore"):  # far out an exponential overflows
            return function(inside(p)) - y

    def derivatives(p: Array) -> Array:
        with np.errstate(all="ignore"):
            return jacobian(inside(p)) * chain(p)

    near = truth * rng.uniform(0.9, 1.1, truth.size)
    near[j] = one * rng.uniform(0.9, 1.1) + 0.1
    return Problem(
        f"{model}, x[{j}] by a {bound} {gap:.1e} off, noise {noise:.1e}",
        residuals,
        derivatives,
        near,
        is_bounded=True,
    )


def bounded_problems(count: int, seed: int) -> Iterator[Problem]:
    """`count` of the models, each with one of the bounds, with noise from 1e-6 to 0.3."""
    rng = np.random.default_rng(seed)
    pairs = cycle((model, bound) for bound in BOUNDS for model in MODELS if model != "square")
    for model, bound in islice(pairs, count):
        yield bounded(model, bound, 10.0 ** rng.uniform(-6, -0.5), 10.0 ** rng.uniform(-3, -0.3), rng)
