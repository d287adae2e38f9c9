"""The timed fits: what people fit, by size, unit of the data and noise, with and without Dfun."""

from __future__ import annotations

from typing import Any

import numpy as np

from fits import Fit
from models import (
    Model,
    decays,
    equal_columns,
    gaussian,
    global_decays,
    logistic,
    lorentzian,
    nan_at_one_point,
    peak_2d,
    peaks,
    polynomial,
    power_law,
    random_matrix,
    rosenbrock,
    sine,
    zero_jacobian,
)

DFUN, DIFFERENCES = {"Dfun": True}, {"Dfun": False}
BOTH = [DFUN, DIFFERENCES]


def fits(model: Model, sizes: list[int], ways: list[dict[str, bool]] = BOTH, **options: Any) -> list[Fit]:
    return [Fit(model, m, **way, **options) for m in sizes for way in ways]


peak, peak_on_line = peaks(gaussian, 1, 0), peaks(gaussian, 1, 2)
three_peaks, three_on_line, ten_peaks = peaks(gaussian, 3, 0), peaks(gaussian, 3, 2), peaks(gaussian, 10, 1)
lorentz, three_lorentz, ten_lorentz = peaks(lorentzian, 1, 2), peaks(lorentzian, 3, 2), peaks(lorentzian, 10, 1)
equal_decays = equal_columns("decay", lambda t: np.exp(-t))
equal_peaks = equal_columns("Gaussian peak", lambda t: np.exp(-(((t - 1.5) / 0.05) ** 2) / 2))

FITS = [
    *fits(peak, [50, 1000, 4096, 10_000, 100_000]),
    *fits(peak, [1000, 4096], noise=False),
    *fits(peak, [1000, 10_000], [DFUN], col_deriv=True),
    *fits(peak, [1000], scale=1e-300),
    *fits(peak, [1000, 10_000], scale=1e-25),
    *fits(peak, [1000], scale=1e-12),
    *fits(peak, [4096], scale=1e25),
    *fits(peak, [1000], scale=1e200),
    *fits(peak, [1000, 10_000], [DFUN], weight=1e-25),
    *fits(peak, [4096], [DFUN], weight=1e25),
    *fits(peak, [1000], [DFUN], weight=1e-300),
    *fits(peak, [1000], [DFUN], weight=1e200),
    *fits(peak_on_line, [50, 200, 1000, 10_000]),
    *fits(peak_on_line, [1000], scale=1e-25),
    *fits(three_peaks, [16_384], [DFUN]),
    *fits(three_peaks, [16_384], [DFUN], weight=1e-25),
    *fits(three_on_line, [200, 1000, 10_000]),
    *fits(three_on_line, [1000], noise=False),
    *fits(three_on_line, [1000], scale=1e25),
    *fits(ten_peaks, [1000]),
    *fits(ten_peaks, [10_000], [DFUN]),
    *fits(ten_peaks, [1000], [DFUN], weight=1e-25),
    *fits(lorentz, [50, 1000, 10_000]),
    *fits(lorentz, [1000], scale=1e-25),
    *fits(three_lorentz, [1000]),
    *fits(ten_lorentz, [1000]),
    *fits(peak_2d(), [1024, 10_000]),
    *fits(peak_2d(), [99_856], [DFUN]),
    *fits(peak_2d(), [1024], scale=1e-25),
    *fits(decays(1), [50, 1000, 100_000]),
    *fits(decays(1), [50], scale=1e-25),
    *fits(decays(1), [50], noise=False),
    *fits(decays(2), [200, 10_000]),
    *fits(decays(3), [1000]),
    *fits(sine(), [100, 10_000]),
    *fits(logistic(), [50, 1000]),
    *fits(logistic(), [1000], scale=1e200),
    *fits(power_law(), [50, 10_000]),
    *fits(power_law(), [1000], scale=1e-25),
    *fits(polynomial(1), [50, 10_000]),
    *fits(polynomial(2), [50]),
    *fits(polynomial(6), [1000]),
    *fits(polynomial(6), [1000], [DFUN], weight=1e25),
    *fits(polynomial(10), [10_000], [DFUN]),
    *fits(global_decays(4), [1000]),
    *fits(global_decays(14), [700, 7000]),
    *fits(global_decays(14), [700], [DFUN], weight=1e-25),
    *fits(equal_decays, [1000, 10_000], [DFUN]),
    *fits(equal_decays, [1000], [DIFFERENCES]),
    *fits(equal_peaks, [1000, 10_000], [DFUN]),
    *fits(zero_jacobian(), [1000, 10_000], [DFUN]),
    *fits(zero_jacobian(), [1000], [DIFFERENCES]),
    *fits(nan_at_one_point(), [50, 1000, 10_000], [DFUN]),
    *fits(nan_at_one_point(), [1000], [DIFFERENCES]),
    *fits(rosenbrock(), [2], noise=False),
    *fits(random_matrix(3), [1000, 10_000], [DFUN]),
    *fits(random_matrix(100), [1000], [DFUN]),
]
