"""How many digits of NIST's certified values leastsq reaches, and where it fails.

A floor is what leastsq of SciPy 1.14.1 reaches on x86-64, less half a digit of slack for the last bit of exp,
sin, atan, log and pow on other machines, rounded down to a tenth. Reached is the least over eight sets of
those functions: AVX-512 loops of NumPy 1.23, 1.26 and 2.2, and plain ones, on glibc with FMA and without.
"""

from typing import NamedTuple

# What a user of the collection does: the defaults first; where they leave some parameter with less than four
# digits, 1e-10 for both tolerances and calls enough for slow valleys. Tighter ones only stir rounding errors.
TOLERANCES: dict[str, dict[str, float]] = {
    "default": {},
    "tight": {"ftol": 1e-10, "xtol": 1e-10, "maxfev": 10000},
}


class Row(NamedTuple):
    """A fit that reaches the certified minimum, and floors for the digits it reaches."""

    problem: str
    start: str
    jacobian: str               # "differences" (no Dfun) or "analytic"
    tolerances: str             # a key of TOLERANCES
    rss: float                  # digits of the residual sum of squares
    errors: float               # digits of the worst standard error
    parameters: list[float]     # digits of b1, b2, ...


class Failure(NamedTuple):
    """A fit that ends elsewhere, in MINPACK's own way."""

    problem: str
    start: str
    jacobian: str
    tolerances: str
    ier: int
    rss_ratio: float        # the residual sum of squares is at least this many times the certified one
    reason: str


SLOW = "a curved valley: the limit of calls comes before the minimum"
PLATEAU = "b2 runs off to where exp(-b2*x) is 0; left is the model b1, which b2 does not change"
OVERFLOW = "b5 hardly matters at x0: each step throws it far below 0, exp(-b5*x) overflows, xtol is met at x0"

FAILURES = [
    Failure("Bennett5", "start1", "differences", "default", 5, 1.18, SLOW),
    Failure("Bennett5", "start1", "analytic", "default", 5, 1.04, SLOW),
    Failure("BoxBOD", "start1", "differences", "default", 3, 8.36, PLATEAU),
    Failure("BoxBOD", "start1", "differences", "tight", 1, 8.36, PLATEAU),
    Failure("BoxBOD", "start1", "analytic", "default", 1, 8.36, PLATEAU),
    Failure("BoxBOD", "start1", "analytic", "tight", 1, 8.36, PLATEAU),
    Failure("MGH09", "start1", "differences", "default", 5, 3.06, SLOW),
    Failure("MGH10", "start1", "differences", "default", 5, 10, SLOW),
    Failure("MGH17", "start1", "differences", "default", 2, 1.6e9, OVERFLOW),
    Failure("MGH17", "start1", "analytic", "default", 2, 1.6e9, OVERFLOW),
]


def row(line: str) -> Row:
    """The Row that a line of the table describes."""
    problem, start, jacobian, tolerances, *floors = line.split()
    rss, errors, *parameters = map(float, floors)
    return Row(problem, start, jacobian, tolerances, rss, errors, parameters)


# problem start   jacobian     tolerances   rss  errors    b1    b2    b3    b4    b5    b6    b7    b8    b9
ROWS = [row(line) for line in """\
Bennett5  start1  differences  tight        9.7     4.2   4.5   5.2   5.3
Bennett5  start1  analytic     tight       10.5     9.0   9.1   9.7   9.8
Bennett5  start2  differences  tight       10.3     4.4   4.8   5.5   5.6
Bennett5  start2  analytic     default      7.7     3.4   3.5   4.2   4.3
BoxBOD    start2  differences  default      9.0     3.9   5.2   4.6
BoxBOD    start2  analytic     default      9.0     3.9   5.2   4.6
Chwirut1  start1  differences  default     10.5     4.3   5.3   6.0   5.6
Chwirut1  start1  analytic     default     10.5     4.3   5.3   6.0   5.6
Chwirut1  start2  differences  default     10.5     4.7   5.3   5.7   5.5
Chwirut1  start2  analytic     default     10.5     4.7   5.3   5.7   5.5
Chwirut2  start1  differences  default     10.5     4.7   5.6   6.0   5.9
Chwirut2  start1  analytic     default     10.5     4.7   5.6   6.0   5.9
Chwirut2  start2  differences  default     10.5     4.4   5.3   5.7   5.6
Chwirut2  start2  analytic     default     10.5     4.4   5.3   5.7   5.6
DanWood   start1  differences  default     10.5     5.4   7.4   7.6
DanWood   start1  analytic     default     10.5     5.4   7.4   7.7
DanWood   start2  differences  default     10.5     6.1   8.0   8.2
DanWood   start2  analytic     default     10.5     6.1   8.1   8.4
ENSO      start1  differences  tight       10.1     4.6   7.2   6.5   5.8   5.9   5.4   4.5   5.6   3.6   5.3
ENSO      start1  analytic     tight       10.1     4.6   7.2   6.6   5.9   5.9   5.4   4.6   5.7   3.6   5.3
ENSO      start2  differences  tight       10.2     4.6   7.2   6.6   5.9   6.0   5.5   4.7   5.7   3.6   5.3
ENSO      start2  analytic     tight       10.2     4.6   7.2   6.6   5.9   6.0   5.4   4.6   5.7   3.7   5.3
Eckerle4  start1  differences  default     10.1     5.4   6.9   6.6   8.8
Eckerle4  start1  analytic     default     10.1     5.4   6.9   6.6   8.8
Eckerle4  start2  differences  default     10.1     5.3   6.9   6.6   8.7
Eckerle4  start2  analytic     default     10.1     5.3   6.9   6.6   8.7
Gauss1    start1  differences  default     10.5     4.2   7.1   6.4   7.1   7.9   6.9   6.9   8.1   6.8
Gauss1    start1  analytic     default     10.5     4.2   7.1   6.4   7.1   7.9   6.9   6.9   8.1   6.8
Gauss1    start2  differences  default     10.5     4.4   7.4   6.3   7.4   8.5   6.4   6.9   8.1   6.5
Gauss1    start2  analytic     default     10.5     4.4   7.4   6.3   7.4   8.5   6.4   6.9   8.1   6.5
Gauss2    start1  differences  default     10.1     5.7   8.5   7.9   8.9   9.4   8.5   8.5   9.2   7.8
Gauss2    start1  analytic     default     10.1     5.7   8.7   8.1   9.1   9.6   8.6   8.5   9.2   7.9
Gauss2    start2  differences  default     10.1     5.9   8.9   8.0   8.4   8.6   7.5   8.5   8.5   7.6
Gauss2    start2  analytic     default     10.1     5.8   9.4   8.1   8.5   8.6   7.6   8.7   8.5   7.7
Gauss3    start1  differences  default     10.4     5.4   8.7   8.1   8.6   8.9   8.2   8.3   9.1   8.1
Gauss3    start1  analytic     default     10.4     5.4   9.7   8.8   8.9   9.6   8.8  10.5  10.0   8.7
Gauss3    start2  differences  default     10.4     5.0   8.9   7.8   8.3   8.2   7.2   7.3   8.2   7.6
Gauss3    start2  analytic     default     10.4     5.0   9.1   7.8   8.4   8.2   7.2   7.3   8.2   7.6
Hahn1     start1  differences  default     10.0     4.1   5.1   5.3   5.5   4.9   6.4   5.7   5.2
Hahn1     start1  analytic     default     10.0     4.1   5.7   5.9   6.1   5.4   6.6   6.3   5.6
Hahn1     start2  differences  default     10.2     3.8   4.6   4.8   5.0   4.5   5.7   5.2   4.7
Hahn1     start2  analytic     default     10.2     3.8   4.7   4.9   5.1   4.5   5.8   5.3   4.8
Kirby2    start1  differences  default     10.5     5.1   5.8   6.0   6.2   5.9   6.5
Kirby2    start1  analytic     default     10.5     5.1   5.8   6.0   6.2   5.9   6.5
Kirby2    start2  differences  default     10.5     4.5   5.3   5.4   5.7   5.4   5.9
Kirby2    start2  analytic     default     10.5     4.5   5.3   5.4   5.7   5.4   5.9
Lanczos1  start1  differences  default      2.2     2.5  10.5  10.0  10.5  10.4  10.1  10.5
Lanczos1  start1  analytic     default      2.3     2.6  10.5  10.0  10.5  10.4  10.1  10.5
Lanczos1  start2  differences  default      2.3     2.6  10.5  10.0  10.5  10.4  10.1  10.5
Lanczos1  start2  analytic     default      2.4     2.7  10.5  10.0  10.5  10.4  10.1  10.5
Lanczos2  start1  differences  default      8.1     3.5   5.3   5.6   5.8   6.0   6.0   6.7
Lanczos2  start1  analytic     default      9.5     7.8   7.9   8.2   8.4   8.6   8.5   9.3
Lanczos2  start2  differences  default      7.3     3.6   4.9   5.2   5.5   5.6   5.6   6.3
Lanczos2  start2  analytic     default      9.4     8.5  10.5   9.8  10.5  10.5  10.2  10.5
Lanczos3  start1  differences  default      8.7     3.2   4.2   4.5   4.9   5.0   5.0   5.7
Lanczos3  start1  analytic     default     10.0     4.7   6.2   6.5   6.8   6.9   6.9   7.7
Lanczos3  start2  differences  default      9.4     3.4   4.4   4.7   5.0   5.2   5.2   5.9
Lanczos3  start2  analytic     default     10.0     5.9   5.9   6.1   6.5   6.6   6.6   7.3
MGH09     start1  differences  tight       10.3     4.5   5.9   4.5   5.0   4.7
MGH09     start1  analytic     tight       10.4     4.5   5.9   4.6   5.1   4.8
MGH09     start2  differences  tight       10.1     4.4   5.8   4.4   4.9   4.6
MGH09     start2  analytic     tight       10.1     4.4   5.8   4.4   5.0   4.6
MGH10     start1  differences  tight       10.5     4.9   6.1   7.0   7.2
MGH10     start1  analytic     default     10.5     8.8   8.7   9.5   9.9
MGH10     start2  differences  default     10.5     5.1   6.4   7.2   7.5
MGH10     start2  analytic     default     10.5     8.5   8.4   9.3   9.6
MGH17     start1  differences  tight       10.5     4.3   6.8   5.4   5.3   5.9   5.9
MGH17     start1  analytic     tight       10.5     5.5   9.1   7.7   7.5   8.2   8.1
MGH17     start2  differences  default     10.5     4.0   7.3   5.9   5.8   6.5   6.4
MGH17     start2  analytic     default     10.5     4.1   7.6   6.2   6.0   6.7   6.6
Misra1a   start1  differences  default      9.9     6.1   7.4   7.3
Misra1a   start1  analytic     default      9.9     6.1   9.3   9.2
Misra1a   start2  differences  default      9.9     5.9   7.8   7.7
Misra1a   start2  analytic     default      9.9     6.8   9.7   9.6
Misra1b   start1  differences  default     10.5     6.0   7.5   7.4
Misra1b   start1  analytic     default     10.5     6.1   9.0   8.9
Misra1b   start2  differences  default     10.5     5.4   7.4   7.3
Misra1b   start2  analytic     default     10.5     8.5   8.8   8.8
Misra1c   start1  differences  default     10.5     5.8   7.5   7.5
Misra1c   start1  analytic     default     10.5     7.5   7.8   7.7
Misra1c   start2  differences  default     10.5     5.7   7.5   7.4
Misra1c   start2  analytic     default     10.5     6.8   9.8   9.6
Misra1d   start1  differences  default     10.5     7.3   8.6   8.5
Misra1d   start1  analytic     default     10.5     7.9   8.2   8.2
Misra1d   start2  differences  default     10.5     5.5   8.8   8.7
Misra1d   start2  analytic     default     10.5     5.5   8.5   8.4
Nelson    start1  differences  default     10.4     4.2   7.8   5.3   6.5
Nelson    start1  analytic     default     10.4     4.2   8.3   5.8   7.0
Nelson    start2  differences  default     10.4     4.5   8.0   5.5   6.7
Nelson    start2  analytic     default     10.4     4.6   8.7   6.1   7.3
Rat42     start1  differences  default     10.5     4.6   6.5   6.7   6.2
Rat42     start1  analytic     default     10.5     4.6   6.5   6.7   6.2
Rat42     start2  differences  default     10.5     5.0   6.9   7.0   6.6
Rat42     start2  analytic     default     10.5     5.0   6.9   7.0   6.6
Rat43     start1  differences  default      9.9     4.6   6.0   4.6   4.8   4.5
Rat43     start1  analytic     default     10.0     4.5   6.0   4.6   4.8   4.5
Rat43     start2  differences  default      9.3     3.9   5.6   4.4   4.5   4.3
Rat43     start2  analytic     default      9.3     3.9   5.6   4.4   4.5   4.3
Roszman1  start1  differences  default     10.5     3.9   5.6   4.8   5.7   5.2
Roszman1  start1  analytic     default     10.5     3.9   5.6   4.9   5.8   5.2
Roszman1  start2  differences  default     10.5     3.9   5.6   4.8   5.7   5.2
Roszman1  start2  analytic     default     10.5     3.9   5.6   4.9   5.8   5.2
Thurber   start1  differences  default      7.9     3.1   6.9   4.7   4.5   4.3   4.7   4.6   3.9
Thurber   start1  analytic     default      7.9     3.1   6.9   4.7   4.5   4.3   4.7   4.6   3.9
Thurber   start2  differences  default      8.0     3.2   7.0   4.8   4.5   4.3   4.7   4.7   4.0
Thurber   start2  analytic     default      8.0     3.2   7.0   4.8   4.5   4.3   4.7   4.7   4.0
""".splitlines()]
