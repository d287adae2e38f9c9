"""The comparison that every test of fidelity rests on."""

import numpy as np
import pytest

from helpers.bits import assert_same_bits

NAN = np.nan
OTHER_NAN = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)[0]
ONE_UP = np.nextafter(1.0, 2)


@pytest.mark.parametrize(("a", "b"), [
    (1.5, 1.5),
    (-0.0, -0.0),
    (NAN, OTHER_NAN),
    ([np.inf, NAN, 1], [np.inf, OTHER_NAN, 1.0]),
    (np.ones((2, 3), order="F"), np.ones((2, 3))),
    (np.arange(6.0)[::2], [0.0, 2.0, 4.0]),
    ([], []),
    (np.array([1, 2], np.int32), [1, 2]),
])
def test_these_are_the_same(a, b):
    assert_same_bits(a, b)


@pytest.mark.parametrize(("a", "b", "message"), [
    (0.0, -0.0, r"^x: 0\.0 \(0x0\.0p\+0\) is not -0\.0 \(-0x0\.0p\+0\), 0 ulp apart$"),
    ([3.0, 1.0, ONE_UP], [3.0, ONE_UP, 1.0], r"^x\[1\]: 1\.0 .* is not 1\.0000000000000002 .*; 2 of 3 differ$"),
    (5e-324, -5e-324, r"2 ulp apart$"),
    (NAN, 1.0, r"^x: nan \(nan\) is not 1\.0 \(0x1\.0000000000000p\+0\)$"),
    (np.inf, -np.inf, r"^x: inf \(inf\) is not -inf \(-inf\)$"),
    ([[1, 2], [3, 4]], [[1, 2], [3, 5]], r"^x\[1, 1\]: 4 is not 5; 1 of 4 differ$"),
    ([1.0], [[1.0]], r"^x: shape \(1,\) is not \(1, 1\)$"),
    ([1], [1.0], r"^x: types int64 and float64"),
    (np.float32(1), 1.0, r"^x: types float32 and float64"),
    (np.float32(1), np.float32(1), r"^x: types float32 and float32"),
    ([True], [True], r"^x: types bool and bool"),
])
def test_these_are_not_the_same(a, b, message):
    with pytest.raises(AssertionError, match=message):
        assert_same_bits(a, b, "x")
