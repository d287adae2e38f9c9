"""The speed of qrfac; see test_fits.py."""

import pytest

from factorisations import CONTESTANTS, SIZES, Contestant
from turns import runs, turns


@pytest.mark.parametrize(("size", "contestant", "turn"), turns(SIZES, CONTESTANTS))
def test_factorisation(benchmark, size, contestant, turn):
    m, n = size
    ours = Contestant(contestant, m, n)
    benchmark.extra_info.update(case=f"{m} x {n}", contestant=contestant, turn=turn)
    benchmark.pedantic(ours.run, setup=ours.restore, rounds=runs(m, n))
    ours.check()
