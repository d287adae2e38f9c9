"""MINPACK's Levenberg-Marquardt least squares: a drop-in for `scipy.optimize.leastsq`."""

from pyminpack._config import CONFIG as _CONFIG
from pyminpack._leastsq import InfoDict, leastsq
from pyminpack._show_config import show_config

__all__ = ["InfoDict", "leastsq", "show_config"]
__version__: str = _CONFIG["version"]
