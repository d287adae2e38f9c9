"""MINPACK's Levenberg-Marquardt least squares: a drop-in for `scipy.optimize.leastsq`.

    from pyminpack import leastsq

`leastsq` has SciPy's signature and results, and the bits of MINPACK's own Fortran, sooner. `show_config` tells what is
inside this build.
"""

import os as _os

from pyminpack import _instruction_sets, kernels
from pyminpack._check_jacobian import JacobianCheck, check_jacobian
from pyminpack._config import CONFIG as _CONFIG
from pyminpack._leastsq import InfoDict, leastsq
from pyminpack._show_config import show_config

__all__ = ["InfoDict", "JacobianCheck", "check_jacobian", "kernels", "leastsq", "show_config"]
__version__: str = _CONFIG["version"]

_instruction_sets.choose(_os.environ.get(_instruction_sets.VARIABLE))
