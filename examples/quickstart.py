"""Fit three hard problems of NIST's Statistical Reference Datasets and compare with the certified values.

    python quickstart.py                  prints the table, saves quickstart.png in the current folder
    python quickstart.py --no-picture     prints the table only, needs nothing but pyminpack

Each fit begins at the first of NIST's two starting points, the far one. Where the build has MINPACK's own Fortran, too,
the problems are fitted on both solvers. The exit code is 1 if a fit fails, a parameter agrees with its certified value
to less than 4 digits, or the two solvers differ in a bit.

Data and certified values (nist.json): https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
"""
# NumPy types most of its functions as returning Any:
# mypy: disable-error-code="no-any-return"

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pyminpack import leastsq, show_config

Array: TypeAlias = NDArray[np.float64]
Solver: TypeAlias = Literal["builtin", "original"]
DIGITS_REQUIRED = 4


def thurber(b: Array, x: Array) -> Array:
    b1, b2, b3, b4, b5, b6, b7 = b
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def mgh10(b: Array, x: Array) -> Array:
    b1, b2, b3 = b
    return b1 * np.exp(b2 / (x + b3))


def eckerle4(b: Array, x: Array) -> Array:
    b1, b2, b3 = b
    return b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2)


# Model, what x is, what y is. NIST gives no units, and no names for MGH10 (Meyer's thermistor).
PROBLEMS: dict[str, tuple[Callable[[Array, Array], Array], str, str]] = {
    "Thurber": (thurber, "log(density)", "electron mobility"),
    "MGH10": (mgh10, "temperature", "thermistor resistance"),
    "Eckerle4": (eckerle4, "wavelength", "transmittance"),
}


class Fit(NamedTuple):
    b: Array  # fitted parameters, shape (n,)
    stderr: Array  # their standard errors, shape (n,)
    residuals: Array  # data minus model, shape (m,)
    rss: float  # residual sum of squares
    nfev: int  # calls of the residual function, as MINPACK counts them
    ier: int  # why leastsq stopped, 1 to 4 for success


def fit(model: Callable[[Array, Array], Array], x: Array, y: Array, start: list[float], solver: Solver) -> Fit:
    """Fit model(b, x) to the data y by least squares."""

    def residuals(b: Array) -> Array:
        return y - model(b, x)

    # MGH10 needs about 1000 calls from its far start (the last bits of exp decide how many), more than the
    # default of 200 * (n + 1) = 800.
    b, cov_x, info, mesg, ier = leastsq(residuals, start, full_output=True, maxfev=2000, solver=solver)
    if cov_x is None:
        sys.exit(f"{model.__name__}: no standard errors, ier = {ier}: {mesg}")
    rss = float(np.sum(info["fvec"] ** 2))
    stderr = np.sqrt(np.diag(cov_x) * rss / (y.size - b.size))
    return Fit(b, stderr, info["fvec"], rss, info["nfev"], ier)


def same_bits(one: Fit, other: Fit) -> bool:
    """Whether all that two fits found is the same, to the bit."""
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in zip(one, other, strict=True))


def agreeing_digits(value: Array, certified: Array) -> Array:
    """Significant digits that agree: -log10 of the relative error, at most the 11 digits that NIST gives."""
    return -np.log10(np.maximum(np.abs(value - certified) / np.abs(certified), 1e-11))


def print_table(problem: dict[str, Any], result: Fit, digits: Array) -> None:
    m, n = result.residuals.size, result.b.size
    print(f"\n{problem['name']:<9} m = {m:<3} n = {n:<2} nfev = {result.nfev:<5} ier = {result.ier:<3}"
          f" rss = {result.rss:.10e}   certified rss = {problem['rss']:.10e}")
    rows = zip(result.b, result.stderr, problem["certified"], problem["certified_sd"], digits, strict=True)
    for j, (*values, agree) in enumerate(rows, start=1):
        print(f"  b{j} ", *(f"{value:18.10e}" for value in values), f"{agree:8.1f}")


def save_picture(problems: list[dict[str, Any]], fits: list[Fit], path: Path) -> None:
    """One column a problem: data and fit, residuals below. Without matplotlib, say how to get it."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        print('\nNo picture: matplotlib is missing; pip install "pyminpack[examples]" gives the picture.')
        return
    matplotlib.use("Agg")  # draws into a file, needs no display
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    plt.rcParams.update({"figure.constrained_layout.use": True, "figure.constrained_layout.wspace": 0.06})
    figure, axes = plt.subplots(2, len(fits), figsize=(10, 5), dpi=150, sharex="col", height_ratios=[5, 2])
    for problem, result, (top, bottom) in zip(problems, fits, axes.T, strict=True):
        model, x_label, y_label = PROBLEMS[problem["name"]]
        x_dense = np.linspace(min(problem["x"]), max(problem["x"]), 500)
        top.plot(problem["x"], problem["y"], "o", color="tab:blue", markersize=4.5, label="data")
        top.plot(x_dense, model(result.b, x_dense), color="tab:orange", linewidth=1.6, label="fit")
        top.set_title(f"{problem['name']}: {result.b.size} parameters", fontweight="bold", fontsize=12)
        top.set_ylabel(y_label)
        bottom.axhline(0, color="tab:orange", linewidth=1.6)
        bottom.plot(problem["x"], result.residuals, "o", color="tab:blue", markersize=3.5)
        bottom.set(xlabel=x_label, ylabel="data − fit")
    axes[0, 0].legend(frameon=False)
    figure.align_ylabels()
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        sys.exit(f"cannot save the picture: {error}")
    print(f"\nPicture saved: {path.resolve()}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Fit three NIST problems; compare with certified values.")
    parser.add_argument("picture", nargs="?", type=Path, default=Path("quickstart.png"),
                        help="PNG file to write (default: %(default)s in the current folder)")
    parser.add_argument("--no-picture", action="store_true", help="print the table only")
    options = parser.parse_args()

    problems = json.loads(Path(__file__).with_name("nist.json").read_text())
    titles = "fitted value", "standard error", "certified value", "certified sd"
    print("     ", *(f"{title:>18}" for title in titles), f"{'digits':>8}")
    solvers = show_config(mode="dicts")["solvers"]
    fits, agreed, same = [], True, True
    for problem in problems:
        model, x, y = PROBLEMS[problem["name"]][0], np.array(problem["x"]), np.array(problem["y"])
        fits.append(fit(model, x, y, problem["start1"], "builtin"))
        if "original" in solvers:
            same = same and same_bits(fits[-1], fit(model, x, y, problem["start1"], "original"))
        digits = agreeing_digits(fits[-1].b, np.array(problem["certified"]))
        print_table(problem, fits[-1], digits)
        agreed = agreed and bool(np.all(digits >= DIGITS_REQUIRED))  # NaN does not agree

    if "original" not in solvers:
        print("\nFitted on the builtin solver; MINPACK's own Fortran is not in this build.")
    elif same:
        print("\nFitted on both solvers, ours and MINPACK's own Fortran: all results have the same bits.")

    if not options.no_picture:
        save_picture(problems, fits, options.picture)
    if not agreed:
        print(f"\nFAILED: a parameter agrees to less than {DIGITS_REQUIRED} digits.", file=sys.stderr)
    if not same:
        print("\nFAILED: the two solvers differ.", file=sys.stderr)
    return 0 if agreed and same else 1


if __name__ == "__main__":
    sys.exit(main())
