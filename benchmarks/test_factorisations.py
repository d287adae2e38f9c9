"""The speed of qrfac; see test_fits.py."""

import pytest

from factorisations import CONTESTANTS, SIZES, Contestant


@pytest.mark.parametrize(("m", "n"), SIZES)
def test_qrfac(measure, m, n):
    measure({name: Contestant(name, m, n).turn for name in CONTESTANTS}, row=f"{m} x {n}")
