"""Where pyminpack differs from SciPy 1.14.1, in words: the README's table.

    python tests/helpers/scipy_differences.py     prints it

Each key has its rows in test_contract_different.py, which also compares the README with this file.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """One line of the table."""

    case: str
    scipy: str
    pyminpack: str


DIFFERENCES = {
    # What func and Dfun return
    "reused array": Difference(
        "`func` returns the same buffer every time, a cached array, one of `args`, or its x after computing in place",
        "a wrong answer (`x0` with `ier` 4), and the user's array is overwritten",
        "the right answer; no array of the user's is written",
    ),
    "not finite": Difference(
        "`func` or `Dfun` returns NaN or inf",
        "often `ier` 4 with x unmoved, without a word",
        "the same numbers, and one RuntimeWarning that says where the first came from (which entry of `x0`, or of what"
        " a function returned), if the returned `fvec` or `cov_x` is not finite",
    ),
    "overflow": Difference(
        "`cov_x` overflows",
        "NumPy's RuntimeWarning, of a line inside SciPy",
        "that same one RuntimeWarning, of the caller's line",
    ),
    "zero column": Difference(
        "a column of the last Jacobian is exactly zero though the residuals are not: a model in float32, a parameter"
        " that acts as an index or a threshold, a rounded or cached model, a mistake in `Dfun`",
        "`ier` 1 to 4 without a word",
        "the same numbers, and one RuntimeWarning: which parameters, and the difference steps that they got",
    ),
    "stuck": Difference(
        "x is `x0` to the bit, though a cosine of more than 0.01 and a Gauss-Newton step of more than 1e-6 of x say"
        " that it is no minimum: a `Dfun` of the wrong sign",
        "`ier` 1 to 3 and a finite `cov_x` without a word",
        "the same numbers, and one RuntimeWarning: which column, and that `Dfun` or the step may be wrong",
    ),
    "masked": Difference(
        "`func` or `Dfun` returns a masked array with masked entries",
        "they count like any other, without a word",
        "the same numbers, and one RuntimeWarning that names `.compressed()` and `.filled(0)`",
    ),
    "None": Difference(
        "`func` or `Dfun` returns None",
        "for n = 1 it counts as NaN, and the fit \"succeeds\"; else an error about sizes or shapes",
        "TypeError that says so",
    ),
    "not real": Difference(
        "`func` or `Dfun` returns complex numbers, objects, times, an array of longdoubles, or a generator",
        "`_minpack.error` without a cause; a traceback is printed to stderr",
        "TypeError that names the function, the dtype or type and what is expected; nothing is printed",
    ),
    "sparse": Difference(
        "`func` or `Dfun` returns a sparse matrix",
        "`_minpack.error`, or a TypeError that finds shape (1,)",
        "TypeError that names its type and `.toarray()` or `.todense()`",
    ),
    "imaginary": Difference(
        "`func` or `Dfun` returns a list of NumPy's complex numbers",
        "the imaginary parts are lost, with a ComplexWarning",
        "TypeError that names the first entry, as for any complex number in a list",
    ),
    "entries": Difference(
        "`func` or `Dfun` returns a list with None, text, times or what is no real number in it",
        "None counts as NaN, text and times are converted; else `_minpack.error`, and a traceback is printed",
        "TypeError that names the entry; what an entry's own conversion raises passes",
    ),
    "one number": Difference(
        "`func` returns a scalar, n > 1",
        "TypeError \"Improper input: func input vector length N=2 must not exceed ...\"",
        "the text goes on: the residuals are wanted, not the sum of their squares",
    ),
    "2-D": Difference(
        "`func` returns a matrix of one column or one row",
        "`_minpack.error`, or TypeError because n > m",
        "TypeError that gives the shape and suggests `.ravel()`",
    ),
    "scalar": Difference(
        "`func` returns a scalar", "`infodict['fvec']` is a scalar", "`infodict['fvec']` has shape (1,)"
    ),
    "changed size": Difference(
        "`func` returns another size than before",
        "ValueError \"The array returned by a function changed size between calls\"",
        "the text goes on with the name and both sizes",
    ),
    "Dfun shape": Difference(
        "`Dfun` returns the wrong shape later than in its first call, or for n = 1",
        "only the size is checked; a transposed Jacobian gives a wrong answer with `ier` 2",
        "TypeError, in any call",
    ),
    "Dfun text": Difference(
        "`Dfun` returns the wrong shape at once: the text of the TypeError",
        "no blank after a full stop, as in `'jac'.Shape`; a scalar is said to have shape (1,)",
        "a blank; shape ()",
    ),
    # What func and Dfun do
    "kept x": Difference(
        "`func` keeps its x, or reads it after the call",
        "garbage, or a segmentation fault",
        "safe: a kept x is never written again",
    ),
    "changed x": Difference("`func` changes its x in place", "the solver's state changes", "no effect"),
    "resized x": Difference("`func` resizes its x (`refcheck=False`)", "ValueError", "no effect"),
    "changed diag": Difference("`func` changes the caller's `diag`", "the solve changes", "no effect"),
    "conversion raises": Difference(
        "the result's `__array__` raises",
        "`_minpack.error`, and a traceback is printed; SystemExit ends the process",
        "passes unchanged, as from `func` itself",
    ),
    "Ctrl-C": Difference(
        "Ctrl-C while `func` is a C function", "noticed when the solve has ended", "noticed within one evaluation"
    ),
    "huge": Difference("m n beyond a C int", "the int overflows", "MemoryError, or it works"),
    # Arguments
    "evaluations": Difference(
        "evaluations of the start",
        "three: `func` is called `nfev + 2` times, `Dfun` `njev + 1` times",
        "one: `func` is called `nfev` times, `Dfun` `njev` times",
    ),
    "dtype of x": Difference(
        "dtype of x in the first call of `func`",
        "that of `x0`: an integer `p**-2` fails; a float32 `x0` may make the result float32, and with it the default"
        " `epsfcn` and every difference step",
        "float64, as in every call",
    ),
    "unsafe x0": Difference(
        "`x0` does not cast safely to float64, or is ragged",
        "NumPy's TypeError, after a call of `func`, or NumPy's ValueError",
        "the same type before any call, and the text names `x0` and what it is",
    ),
    "diag length": Difference(
        "`diag` has not the length of `x0`",
        "too short: memory past its end is read; too long: the rest is ignored",
        "ValueError that names both lengths, before any call of `func`",
    ),
    "improper with Dfun": Difference(
        "improper input (`ier` 0) with a `Dfun`",
        "`Dfun` is called first: its exception, or the TypeError for its shape, comes",
        "`Dfun` is not called",
    ),
    "improper text": Difference(
        "improper input: the text of the TypeError",
        "\"Improper input parameters.\"",
        "the text goes on: which parameter, and its value; `mesg` stays as it is",
    ),
    "improper": Difference(
        "`fjac`, `ipvt`, `qtf` where `ier` is 0", "uninitialised memory", "zeros, and 1 to n for `ipvt`"
    ),
    "negative maxfev": Difference(
        "`maxfev` negative: the message of `ier` 5", "prints it as given", "prints the limit that applied"
    ),
    "maxfev 0.0": Difference("`maxfev=0.0`", "taken for 0", "TypeError, as for any float"),
    "NumPy bool": Difference(
        "NumPy's bool for `maxfev`, `full_output`, `col_deriv`", "DeprecationWarning or TypeError", "accepted"
    ),
    "truth": Difference(
        "`full_output` or `col_deriv` is neither bool nor int", "TypeError or OverflowError", "its truth value counts"
    ),
    "argument texts": Difference(
        "text of the error for an argument of the wrong type", "Python's or NumPy's", "names the argument"
    ),
    # Bits
    "NaN epsfcn": Difference("`epsfcn=nan`", "every step is NaN", "the machine's precision, as Debian's MINPACK"),
    "NaN paru": Difference(
        "`lmpar`'s upper bound is NaN (Jacobians near the overflow limit)",
        "the wheel's `min` keeps the NaN",
        "it is ignored, as in Debian's MINPACK",
    ),
    "SciPy 1.15 ipvt": Difference(
        "`infodict['ipvt']` from SciPy 1.15 on", "counts from 0", "counts from 1, as in MINPACK and SciPy up to 1.14"
    ),
    "SciPy 1.15 bits": Difference(
        "numbers from SciPy 1.15 on",
        "precision 2**-52, and up to 1.17 `qrfac` reads one element too far: other last digits",
        "MINPACK's precision 2.22044604926e-16, and its bits",
    ),
}


def table():
    """DIFFERENCES as a table in Markdown."""
    lines = ["| Case | SciPy | pyminpack |", "|---|---|---|"]
    lines += [f"| {' | '.join(difference)} |" for difference in DIFFERENCES.values()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
