"""MINPACK's Levenberg-Marquardt least squares: a drop-in for `scipy.optimize.leastsq`.

    from pyminpack import leastsq

`leastsq` and `curve_fit` have SciPy's signatures and results, with the bits of MINPACK's own Fortran, but run faster.
`LevenbergMarquardt` is the iteration by ask and tell: you evaluate the functions. `uncertainty` says how well the data
determine parameters, `check_jacobian` whether a Dfun is right, `show_config` how pyminpack was built. `kernels` has
MINPACK's routines.
"""

import os as _os

from pyminpack import _instruction_sets, kernels
from pyminpack._check_jacobian import JacobianCheck as JacobianCheck
from pyminpack._check_jacobian import check_jacobian
from pyminpack._config import CONFIG as _CONFIG
from pyminpack._curve_fit import curve_fit
from pyminpack._leastsq import InfoDict as InfoDict
from pyminpack._leastsq import leastsq
from pyminpack._minpack import IntermediateResult as IntermediateResult
from pyminpack._minpack import LevenbergMarquardt
from pyminpack._nonfinite import NonFiniteError as NonFiniteError
from pyminpack._patch import patch_scipy, scipy_is_patched, unpatch_scipy
from pyminpack._show_config import show_config
from pyminpack._uncertainty import Uncertainty as Uncertainty
from pyminpack._uncertainty import uncertainty
from pyminpack._warnings import OptimizeWarning as OptimizeWarning

# NonFiniteError and other types are public, too, but help() would list everything they inherit.
__all__ = [
    "LevenbergMarquardt", "check_jacobian", "curve_fit", "kernels", "leastsq", "patch_scipy", "scipy_is_patched",
    "show_config", "uncertainty", "unpatch_scipy",
]  # fmt: skip
__version__: str = _CONFIG["version"]

_instruction_sets.choose(_os.environ.get(_instruction_sets.VARIABLE))
