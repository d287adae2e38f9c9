"""pytest plugin: SciPy is patched when all test modules, and what they import, are loaded."""

import pytest

import pyminpack


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Patch."""
    pyminpack.patch_scipy()
