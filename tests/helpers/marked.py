"""Rows of a table as parameters, some of which cannot run everywhere."""

import pytest


def marked(names, marks):
    """Parameters; `marks` has the marks of some of the names."""
    assert {*marks} <= {*names}
    return [pytest.param(name, marks=marks[name]) if name in marks else name for name in names]
