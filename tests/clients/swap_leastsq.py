"""pytest plugin: `scipy.optimize.leastsq` becomes `pyminpack.leastsq`.

Use: ``python -m pytest -p swap_leastsq ...`` with this folder in PYTHONPATH. pytest imports a plugin named by -p before
any conftest or test, hence before a client binds the name. There is no wrapper: clients get the function that users
get, which pickles, has its own signature and warns at the caller's line.
"""

import sys

import scipy.optimize

from pyminpack import leastsq


def swap(original, ours):
    """Bind `ours` wherever a loaded module binds `original`: scipy.optimize and SciPy's modules below it."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, ours)


swap(scipy.optimize.leastsq, leastsq)
