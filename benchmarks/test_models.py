"""The models' Jacobians are right."""

import numpy as np
import pytest

from rows import FITS

MODELS = {fit.model.name: (fit.model, fit.m) for fit in reversed(FITS)}


@pytest.mark.parametrize("name", MODELS)
def test_columns_are_the_derivatives_by_complex_steps(name):
    model, m = MODELS[name]
    t, p = model.points(m), np.array(model.start)
    columns = model.columns(t, p)
    assert len(columns) == len(model.true) == len(model.start)
    for j, column in enumerate(columns):
        step = np.where(np.arange(p.size) == j, 1e-100j, 0)
        derivative = model.value(t, p + step).imag / 1e-100
        assert column.shape == derivative.shape == (m,)
        known = ~np.isnan(derivative)  # one point of "NaN at one point" is not
        assert known.sum() >= m - 1
        column, derivative = column[known], derivative[known]
        np.testing.assert_allclose(column, derivative, rtol=1e-12, atol=1e-13 * np.abs(column).max())


def test_each_row_has_its_name():
    assert len({str(fit) for fit in FITS}) == len(FITS)
