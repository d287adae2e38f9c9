"""`Names`: the function that the user called and its names of arguments, for errors and warnings."""

from __future__ import annotations

from typing import NamedTuple


class Names(NamedTuple):
    """The extension reads the first four (convert.h)."""

    caller: str
    func: str
    Dfun: str
    x0: str
    x: str = "x"
    cov_x: str = "cov_x"
    cause: str = ""  # what makes the residuals NaN or inf whatever func returns, such as "sigma[7] is 0"


LEASTSQ = Names("leastsq", "func", "Dfun", "x0")
CURVE_FIT = Names("curve_fit", "f", "jac", "p0", "popt", "pcov")
TOLD = Names("LevenbergMarquardt", "func", "the Jacobian", "x0")
