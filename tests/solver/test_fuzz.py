"""Random cases, the same in every run: our solver has the bits of libminpack.so.1. fuzz.py runs as many as wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from fuzz import strategies

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("every_instruction_set")]

quick = settings(derandomize=True, database=None, deadline=None, print_blob=True,
                 suppress_health_check=[HealthCheck.too_slow])  # fmt: skip


@settings(quick, max_examples=3000)
@given(strategies.solves())
def test_solves_equal_the_original(case):
    with np.errstate(all="ignore"):
        case.check()


@settings(quick, max_examples=1500)
@given(strategies.batches())
def test_kernels_equal_the_original(batch):
    with np.errstate(all="ignore"):
        batch.check()
