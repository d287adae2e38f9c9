"""MINPACK's Levenberg-Marquardt least squares: a drop-in for `scipy.optimize.leastsq`."""

from pyminpack._leastsq import InfoDict, leastsq

__all__ = ["InfoDict", "leastsq"]
__version__ = "0.1.0"
