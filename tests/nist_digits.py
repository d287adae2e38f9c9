"""How many digits of NIST's certified values leastsq reaches, and where it fails: the figures of test_nist.py.

A floor is what leastsq of SciPy 1.14.1 reaches (NumPy 2.2, x86-64; the least over four mathematics libraries:
NumPy's AVX-512 loops and its plain ones, each with glibc's FMA and non-FMA functions), less half a digit of slack for
the last bit of exp, sin, atan, log and pow on other machines, rounded down to a tenth. nist.digits counts the digits.
"""

from typing import NamedTuple

# What a user of the collection does: the defaults first; where they leave some parameter with less than four digits,
# 1e-10 for both tolerances and calls enough for the slow valleys. Tighter ones only stir the rounding errors.
TOLERANCES = {
    "default": {},
    "tight": {"ftol": 1e-10, "xtol": 1e-10, "maxfev": 10000},
}


class Row(NamedTuple):
    """One fit that reaches the certified minimum."""

    problem: str
    start: str
    jacobian: str           # "differences" (Dfun=None) or "analytic"
    tolerances: str         # a key of TOLERANCES
    rss: float              # floor of digits: residual sum of squares
    errors: float           # floor of digits: the worst of the standard errors
    parameters: list        # floor of digits: each parameter b1..bn


class Failure(NamedTuple):
    """One fit that ends elsewhere, with MINPACK as with us."""

    problem: str
    start: str
    jacobian: str
    tolerances: str
    ier: int
    rss_ratio: float        # its residual sum of squares is at least this many times the certified one
    reason: str


SLOW = "a curved valley: the limit of calls comes before the minimum"
PLATEAU = "b2 runs off to where exp(-b2*x) = 0 and the model is the constant b1: its derivative in b2 vanishes"
OVERFLOW = "b5 hardly matters at x0: each step throws it far below 0, exp(-b5*x) overflows, and xtol is met at x0"

FAILURES = [
    #       problem     start     jacobian       tolerances ier rss_ratio reason
    Failure("Bennett5", "start1", "differences", "default", 5, 1.18, SLOW),
    Failure("Bennett5", "start1", "analytic",    "default", 5, 1.04, SLOW),
    Failure("BoxBOD",   "start1", "differences", "default", 3, 8.36, PLATEAU),
    Failure("BoxBOD",   "start1", "differences", "tight",   1, 8.36, PLATEAU),
    Failure("BoxBOD",   "start1", "analytic",    "default", 1, 8.36, PLATEAU),
    Failure("BoxBOD",   "start1", "analytic",    "tight",   1, 8.36, PLATEAU),
    Failure("MGH09",    "start1", "differences", "default", 5, 3.06, SLOW),
    Failure("MGH10",    "start1", "differences", "default", 5, 10, SLOW),
    Failure("MGH17",    "start1", "differences", "default", 2, 1.6e9, OVERFLOW),
    Failure("MGH17",    "start1", "analytic",    "default", 2, 1.6e9, OVERFLOW),
]

ROWS = [row(line) for line in """\
    #   problem      start     jacobian       tolerances  rss   errors parameters
    Row("Bennett5",  "start1", "differences", "tight",    9.7, 4.2, [4.5, 5.2, 5.3]),
    Row("Bennett5",  "start1", "analytic",    "tight",   10.5, 9.8, [10.5, 10.5, 10.5]),
    Row("Bennett5",  "start2", "differences", "tight",   10.3, 4.6, [4.8, 5.5, 5.6]),
    Row("Bennett5",  "start2", "analytic",    "default",  7.7, 3.4, [3.5, 4.2, 4.3]),
    Row("BoxBOD",    "start2", "differences", "default",  9.0, 3.9, [5.2, 4.6]),
    Row("BoxBOD",    "start2", "analytic",    "default",  9.0, 3.9, [5.2, 4.6]),
    Row("Chwirut1",  "start1", "differences", "default", 10.5, 4.3, [5.3, 6.0, 5.6]),
    Row("Chwirut1",  "start1", "analytic",    "default", 10.5, 4.3, [5.3, 6.0, 5.6]),
    Row("Chwirut1",  "start2", "differences", "default", 10.5, 4.7, [5.3, 5.7, 5.5]),
    Row("Chwirut1",  "start2", "analytic",    "default", 10.5, 4.7, [5.3, 5.7, 5.5]),
    Row("Chwirut2",  "start1", "differences", "default", 10.5, 4.7, [5.6, 6.0, 5.9]),
    Row("Chwirut2",  "start1", "analytic",    "default", 10.5, 4.7, [5.6, 6.0, 5.9]),
    Row("Chwirut2",  "start2", "differences", "default", 10.5, 4.4, [5.3, 5.7, 5.6]),
    Row("Chwirut2",  "start2", "analytic",    "default", 10.5, 4.4, [5.3, 5.7, 5.6]),
    Row("DanWood",   "start1", "differences", "default", 10.5, 5.4, [7.5, 7.7]),
    Row("DanWood",   "start1", "analytic",    "default", 10.5, 5.4, [7.4, 7.7]),
    Row("DanWood",   "start2", "differences", "default", 10.5, 6.1, [8.2, 8.5]),
    Row("DanWood",   "start2", "analytic",    "default", 10.5, 6.1, [8.1, 8.4]),
    Row("ENSO",      "start1", "differences", "tight",   10.1, 4.6, [7.2, 6.5, 5.9, 5.9, 5.4, 4.5, 5.6, 3.6, 5.3]),
    Row("ENSO",      "start1", "analytic",    "tight",   10.1, 4.6, [7.2, 6.6, 5.9, 5.9, 5.4, 4.6, 5.7, 3.6, 5.3]),
    Row("ENSO",      "start2", "differences", "tight",   10.2, 4.6, [7.2, 6.6, 5.9, 6.0, 5.5, 4.7, 5.7, 3.7, 5.3]),
    Row("ENSO",      "start2", "analytic",    "tight",   10.2, 4.6, [7.2, 6.6, 5.9, 6.0, 5.4, 4.6, 5.7, 3.7, 5.3]),
    Row("Eckerle4",  "start1", "differences", "default", 10.1, 5.4, [6.9, 6.6, 8.8]),
    Row("Eckerle4",  "start1", "analytic",    "default", 10.1, 5.4, [6.9, 6.6, 8.8]),
    Row("Eckerle4",  "start2", "differences", "default", 10.1, 5.3, [6.9, 6.6, 8.7]),
    Row("Eckerle4",  "start2", "analytic",    "default", 10.1, 5.3, [6.9, 6.6, 8.7]),
    Row("Gauss1",    "start1", "differences", "default", 10.5, 4.2, [7.1, 6.4, 7.1, 7.9, 6.9, 6.9, 8.1, 6.8]),
    Row("Gauss1",    "start1", "analytic",    "default", 10.5, 4.2, [7.1, 6.4, 7.1, 7.9, 6.9, 6.9, 8.1, 6.8]),
    Row("Gauss1",    "start2", "differences", "default", 10.5, 4.4, [7.4, 6.3, 7.4, 8.5, 6.4, 6.9, 8.1, 6.5]),
    Row("Gauss1",    "start2", "analytic",    "default", 10.5, 4.4, [7.4, 6.3, 7.4, 8.5, 6.4, 6.9, 8.1, 6.5]),
    Row("Gauss2",    "start1", "differences", "default", 10.1, 5.7, [8.5, 7.9, 8.9, 9.4, 8.5, 8.5, 9.2, 7.8]),
    Row("Gauss2",    "start1", "analytic",    "default", 10.1, 5.7, [8.7, 8.1, 9.1, 9.6, 8.6, 8.5, 9.2, 7.9]),
    Row("Gauss2",    "start2", "differences", "default", 10.1, 5.9, [8.9, 8.0, 8.4, 8.6, 7.5, 8.7, 8.5, 7.6]),
    Row("Gauss2",    "start2", "analytic",    "default", 10.1, 5.8, [9.4, 8.1, 8.5, 8.6, 7.6, 8.7, 8.5, 7.7]),
    Row("Gauss3",    "start1", "differences", "default", 10.4, 5.4, [8.7, 8.1, 8.6, 8.9, 8.2, 8.3, 9.1, 8.1]),
    Row("Gauss3",    "start1", "analytic",    "default", 10.4, 5.4, [9.7, 8.8, 8.9, 9.6, 8.8, 10.5, 10.0, 8.7]),
    Row("Gauss3",    "start2", "differences", "default", 10.4, 5.0, [9.1, 7.8, 8.5, 8.2, 7.2, 7.3, 8.2, 7.6]),
    Row("Gauss3",    "start2", "analytic",    "default", 10.4, 5.0, [9.1, 7.8, 8.4, 8.2, 7.2, 7.3, 8.2, 7.6]),
    Row("Hahn1",     "start1", "differences", "default", 10.0, 4.1, [5.3, 5.5, 5.7, 5.1, 6.4, 5.8, 5.3]),
    Row("Hahn1",     "start1", "analytic",    "default", 10.0, 4.1, [5.7, 5.9, 6.1, 5.4, 6.6, 6.3, 5.6]),
    Row("Hahn1",     "start2", "differences", "default", 10.2, 3.8, [4.6, 4.8, 5.0, 4.5, 5.7, 5.2, 4.7]),
    Row("Hahn1",     "start2", "analytic",    "default", 10.2, 3.8, [4.7, 4.9, 5.1, 4.5, 5.8, 5.3, 4.8]),
    Row("Kirby2",    "start1", "differences", "default", 10.5, 5.1, [5.8, 6.0, 6.2, 5.9, 6.5]),
    Row("Kirby2",    "start1", "analytic",    "default", 10.5, 5.1, [5.8, 6.0, 6.2, 5.9, 6.5]),
    Row("Kirby2",    "start2", "differences", "default", 10.5, 4.5, [5.3, 5.4, 5.7, 5.4, 5.9]),
    Row("Kirby2",    "start2", "analytic",    "default", 10.5, 4.5, [5.3, 5.4, 5.7, 5.4, 5.9]),
    Row("Lanczos1",  "start1", "differences", "default",  2.2, 2.5, [10.5, 10.0, 10.5, 10.4, 10.1, 10.5]),
    Row("Lanczos1",  "start1", "analytic",    "default",  2.3, 2.6, [10.5, 10.0, 10.5, 10.4, 10.1, 10.5]),
    Row("Lanczos1",  "start2", "differences", "default",  2.3, 2.6, [10.5, 10.0, 10.5, 10.4, 10.1, 10.5]),
    Row("Lanczos1",  "start2", "analytic",    "default",  2.4, 2.7, [10.5, 10.0, 10.5, 10.4, 10.1, 10.5]),
    Row("Lanczos2",  "start1", "differences", "default",  8.1, 3.5, [5.3, 5.6, 5.8, 6.0, 6.0, 6.7]),
    Row("Lanczos2",  "start1", "analytic",    "default",  9.5, 7.8, [10.5, 9.9, 10.5, 10.5, 10.2, 10.5]),
    Row("Lanczos2",  "start2", "differences", "default",  7.3, 3.6, [4.9, 5.2, 5.5, 5.6, 5.6, 6.3]),
    Row("Lanczos2",  "start2", "analytic",    "default",  9.6, 8.5, [10.5, 9.8, 10.5, 10.5, 10.2, 10.5]),
    Row("Lanczos3",  "start1", "differences", "default",  8.7, 3.2, [4.2, 4.5, 4.9, 5.0, 5.0, 5.7]),
    Row("Lanczos3",  "start1", "analytic",    "default", 10.0, 4.7, [6.2, 6.5, 6.8, 6.9, 6.9, 7.7]),
    Row("Lanczos3",  "start2", "differences", "default",  9.4, 3.4, [4.4, 4.7, 5.0, 5.2, 5.2, 5.9]),
    Row("Lanczos3",  "start2", "analytic",    "default", 10.0, 5.9, [5.9, 6.1, 6.5, 6.6, 6.6, 7.3]),
    Row("MGH09",     "start1", "differences", "tight",   10.3, 4.5, [5.9, 4.5, 5.0, 4.7]),
    Row("MGH09",     "start1", "analytic",    "tight",   10.4, 4.5, [5.9, 4.6, 5.1, 4.8]),
    Row("MGH09",     "start2", "differences", "tight",   10.1, 4.4, [5.8, 4.4, 4.9, 4.6]),
    Row("MGH09",     "start2", "analytic",    "tight",   10.1, 4.4, [5.8, 4.4, 5.0, 4.6]),
    Row("MGH10",     "start1", "differences", "tight",   10.5, 4.9, [6.1, 7.0, 7.2]),
    Row("MGH10",     "start1", "analytic",    "default", 10.5, 8.9, [8.8, 9.7, 10.1]),
    Row("MGH10",     "start2", "differences", "default", 10.5, 5.1, [6.4, 7.2, 7.5]),
    Row("MGH10",     "start2", "analytic",    "default", 10.5, 8.5, [8.4, 9.3, 9.6]),
    Row("MGH17",     "start1", "differences", "tight",   10.5, 4.3, [7.3, 5.9, 5.8, 6.4, 6.4]),
    Row("MGH17",     "start1", "analytic",    "tight",   10.5, 5.5, [9.1, 7.7, 7.5, 8.2, 8.1]),
    Row("MGH17",     "start2", "differences", "default", 10.5, 4.0, [7.3, 5.9, 5.8, 6.5, 6.4]),
    Row("MGH17",     "start2", "analytic",    "default", 10.5, 4.1, [7.6, 6.2, 6.0, 6.7, 6.6]),
    Row("Misra1a",   "start1", "differences", "default",  9.9, 6.1, [7.4, 7.3]),
    Row("Misra1a",   "start1", "analytic",    "default",  9.9, 6.1, [9.3, 9.2]),
    Row("Misra1a",   "start2", "differences", "default",  9.9, 6.2, [7.8, 7.7]),
    Row("Misra1a",   "start2", "analytic",    "default",  9.9, 6.8, [9.7, 9.6]),
    Row("Misra1b",   "start1", "differences", "default", 10.5, 6.0, [7.5, 7.4]),
    Row("Misra1b",   "start1", "analytic",    "default", 10.5, 6.1, [9.0, 8.9]),
    Row("Misra1b",   "start2", "differences", "default", 10.5, 5.4, [7.4, 7.3]),
    Row("Misra1b",   "start2", "analytic",    "default", 10.5, 8.5, [8.8, 8.8]),
    Row("Misra1c",   "start1", "differences", "default", 10.5, 5.8, [7.5, 7.5]),
    Row("Misra1c",   "start1", "analytic",    "default", 10.5, 7.5, [7.8, 7.7]),
    Row("Misra1c",   "start2", "differences", "default", 10.5, 5.7, [7.5, 7.4]),
    Row("Misra1c",   "start2", "analytic",    "default", 10.5, 6.8, [9.8, 9.6]),
    Row("Misra1d",   "start1", "differences", "default", 10.5, 7.3, [8.6, 8.5]),
    Row("Misra1d",   "start1", "analytic",    "default", 10.5, 7.9, [8.2, 8.2]),
    Row("Misra1d",   "start2", "differences", "default", 10.5, 5.5, [8.8, 8.7]),
    Row("Misra1d",   "start2", "analytic",    "default", 10.5, 5.5, [8.5, 8.4]),
    Row("Nelson",    "start1", "differences", "default", 10.4, 4.2, [7.8, 5.3, 6.5]),
    Row("Nelson",    "start1", "analytic",    "default", 10.4, 4.2, [8.3, 5.8, 7.0]),
    Row("Nelson",    "start2", "differences", "default", 10.4, 4.5, [8.0, 5.5, 6.7]),
    Row("Nelson",    "start2", "analytic",    "default", 10.4, 4.6, [8.7, 6.1, 7.3]),
    Row("Rat42",     "start1", "differences", "default", 10.5, 4.6, [6.5, 6.7, 6.2]),
    Row("Rat42",     "start1", "analytic",    "default", 10.5, 4.6, [6.5, 6.7, 6.2]),
    Row("Rat42",     "start2", "differences", "default", 10.5, 5.0, [6.9, 7.0, 6.6]),
    Row("Rat42",     "start2", "analytic",    "default", 10.5, 5.0, [6.9, 7.0, 6.6]),
    Row("Rat43",     "start1", "differences", "default",  9.9, 4.6, [6.0, 4.6, 4.8, 4.5]),
    Row("Rat43",     "start1", "analytic",    "default", 10.0, 4.5, [6.0, 4.6, 4.8, 4.5]),
    Row("Rat43",     "start2", "differences", "default",  9.3, 3.9, [5.6, 4.4, 4.5, 4.3]),
    Row("Rat43",     "start2", "analytic",    "default",  9.3, 3.9, [5.6, 4.4, 4.5, 4.3]),
    Row("Roszman1",  "start1", "differences", "default", 10.5, 3.9, [5.6, 4.8, 5.7, 5.2]),
    Row("Roszman1",  "start1", "analytic",    "default", 10.5, 3.9, [5.6, 4.9, 5.8, 5.2]),
    Row("Roszman1",  "start2", "differences", "default", 10.5, 3.9, [5.6, 4.8, 5.7, 5.2]),
    Row("Roszman1",  "start2", "analytic",    "default", 10.5, 3.9, [5.6, 4.9, 5.8, 5.2]),
    Row("Thurber",   "start1", "differences", "default",  7.9, 3.1, [6.9, 4.7, 4.5, 4.3, 4.7, 4.6, 3.9]),
    Row("Thurber",   "start1", "analytic",    "default",  7.9, 3.1, [6.9, 4.7, 4.5, 4.3, 4.7, 4.6, 3.9]),
    Row("Thurber",   "start2", "differences", "default",  8.0, 3.2, [7.0, 4.8, 4.5, 4.3, 4.7, 4.7, 4.0]),
    Row("Thurber",   "start2", "analytic",    "default",  8.0, 3.2, [7.0, 4.8, 4.5, 4.3, 4.7, 4.7, 4.0]),
]
