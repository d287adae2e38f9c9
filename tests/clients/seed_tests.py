"""pytest plugin: every test starts from the same random numbers, so that two runs of a suite see the same data.

Some of the clients' tests fit noise that they do not seed; without this, chance would tell the two runs apart.
"""

import random

import numpy as np
import pytest


def _seed():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (the generator that the clients draw from)


@pytest.hookimpl(tryfirst=True)
def pytest_collectstart():
    """Seed what modules draw while they are imported."""
    _seed()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Seed what fixtures and the test draw."""
    _seed()
