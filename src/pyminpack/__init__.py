"""MINPACK's Levenberg-Marquardt least squares: a drop-in for `scipy.optimize.leastsq`.

    from pyminpack import leastsq

`leastsq` has SciPy's signature and results, and the bits of MINPACK's own Fortran, sooner. `check_jacobian` tells
whether a Dfun is right, `kernels` has MINPACK's routines one by one, and `show_config` tells what is inside this build.
"""

import os as _os

from pyminpack import _instruction_sets, kernels
from pyminpack._check_jacobian import JacobianCheck as JacobianCheck
from pyminpack._check_jacobian import check_jacobian
from pyminpack._config import CONFIG as _CONFIG
from pyminpack._leastsq import InfoDict as InfoDict
from pyminpack._leastsq import leastsq
from pyminpack._show_config import show_config

# The types InfoDict and JacobianCheck are public, too, but help() would list all that they inherit from dict and tuple.
__all__ = ["check_jacobian", "kernels", "leastsq", "show_config"]
__version__: str = _CONFIG["version"]

_instruction_sets.choose(_os.environ.get(_instruction_sets.VARIABLE))
