"""pytest plugin: as swap_leastsq, and `scipy.optimize.curve_fit` becomes `pyminpack.curve_fit`, too.

What ours refuses by SciPy's name, bounds and the other methods, is SciPy's: its tests go through all methods in turn.
Whatever reaches leastsq then has come through our curve_fit, so that its count of calls stands for both.
"""

import scipy.optimize
from swap_leastsq import swap

import pyminpack

pytest_plugins = ["swap_leastsq"]


def _ours_or(scipys):
    """Our curve_fit, and SciPy's where ours says so."""

    def curve_fit(*args, **kwargs):
        try:
            return pyminpack.curve_fit(*args, **kwargs)
        except ValueError as error:
            if "scipy.optimize.curve_fit" not in str(error):
                raise
        return scipys(*args, **kwargs)

    return curve_fit


swap(scipy.optimize.curve_fit, _ours_or(scipy.optimize.curve_fit))
