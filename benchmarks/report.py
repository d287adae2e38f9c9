"""Write docs/benchmarks.md and docs/benchmarks.png from the measurements of the tests here.

    python benchmarks/report.py FACTORISATIONS.json NORMS.json CURVE_FITS.json FITS.json FITS_OF_ANOTHER_SCIPY.json
    python benchmarks/report.py --print FITS.json FITS_OF_ANOTHER_SCIPY.json

The second form only prints the table of fits. Both exit with 1 if a fit is slower than with a SciPy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fresh
import memory

SLOWER = 0.97  # a fit with a lower ratio is a failure
NEAR = 1.2  # a lower ratio outside func needs an explanation
HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"

INTRODUCTION = """# Speed and memory

Written by `./dev bench` ({processor}; NumPy {numpy}; one thread). Contestants take turns in one process. A turn lasts a
millisecond or one run, whichever is longer; each contestant has 7 to 199. A ratio compares a contestant's turn with
our adjacent one: above 1, ours is faster. The tables give the median of the ratios, with quartiles in brackets. Every
result is checked: ours, libminpack1's and SciPy 1.14.1's are equal to the bit.

## QR factorisation with column pivoting

qrfac alone, on a matrix of random numbers, ours compiled for each instruction set; geqp3 is LAPACK's, from SciPy's
OpenBLAS. With few columns LAPACK is ahead, because it adds several parts of a sum at once. MINPACK's bits require one
addition after the other, for the norm of each pivot and then for the dot products with it, and the second cannot begin
before the first has ended: the latency of two additions per row and reflector is the bound. The arrays begin where
panels fall on cache lines. In a fit they begin where NumPy puts them, often 16 bytes off, which at 1000 x 100 takes a
quarter longer.

"""

NORMS = """
## enorm

libminpack1's time / ours, called from C. "Gaussian tail" is the Jacobian's column of a peak: from 1e-237 to 1 and back.

"""

FITS = """
## Fits

"Outside func": func's and Dfun's answers come from a recording, so that only leastsq is timed. A call of the recording
takes {replay:.0f} ns, the same for all contestants; it is included. SciPy calls func twice more than we do, and Dfun
once more: these calls are part of the whole fit's time; outside func, only their cost to leastsq is included.

"data 1e-25": the data are in such a unit, and so are the parameters that are linear in them. "residuals 1e-25": all
residuals, and so all columns, are multiplied by it. Data have 2 % of noise, unless the row says otherwise. All fits use
`epsfcn=2.22044604926e-16`, without which SciPy from 1.15 on takes other steps.

Set in bold: slower than a SciPy ({slower} of {ratios} ratios are below 0.97). With a star: below 1.2 outside func.

"""

CURVE_FITS = """
## curve_fit

The same for `curve_fit`: by differences or by `jac`, without sigma, with the standard errors of the data, and with
their covariance, where SciPy is ahead of us with many points: NumPy has no solver of triangular systems. The
recording's answers come from a Python function here; both call f equally often.

"""

FRESH = """
## In a fresh process

Whole fits, each package in processes that have imported NumPy and it alone ({processor}), five times, by turns. glibc
gives freed memory back from 128 KiB on at first, and the next fit faults it in again, page by page; once a larger block
with a mapping of its own was freed, it keeps more. SciPy's import frees such blocks by chance. Ours frees one of 4 MiB
on purpose: the process then keeps up to 8 MiB of freed memory, and arrays of up to 4 MiB come from the heap, func's
own among them. Where `MALLOC_TRIM_THRESHOLD_` or the like is set, that is what holds.

"""

PEAK = """
## A Gaussian peak beside random data

The same size, with `Dfun`, outside func.

"""

PLOT = """
![Ratios of all fits against the number of residuals](benchmarks.png)

## Below 1.2 outside func

"""

MEMORY = """
## Peak memory

What a fit by differences adds to the peak memory of a fresh process, in units of 8 m bytes, the size of a vector of
residuals: n for the Jacobian, and at any time one for what func has just returned. With up to 16384 rows and at least 8
columns, qrfac works on a copy of eight columns, which is at most 1 MiB.

"""

Times = dict[str, list[float]]  # contestant: seconds per run, turn by turn
Row = dict[str, Any]  # the test's facts about it, and its times


def read(path: str) -> Row:
    with open(path) as file:
        return json.load(file)


def ratios(times: Times, theirs: str, ours: str = "pyminpack") -> list[float]:
    return [a / b for a, b in zip(times[theirs], times[ours], strict=True)]


def ratio(times: Times, theirs: str, ours: str = "pyminpack") -> str:
    """A table's cell."""
    of = ratios(times, theirs, ours)
    low, median, high = statistics.quantiles(of, n=4, method="inclusive")
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def microseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e6:.4g}"


def factorisations(rows: list[Row]) -> str:
    """Our time, libminpack1's ratio to each of ours, geqp3's to the best of ours."""
    ours = [name for name in rows[0]["times"] if name.startswith("pyminpack, ")]
    best = ours[0]
    head = ["m x n", f"{best}, µs", *(f"libminpack1 / ours, {name.partition(', ')[2]}" for name in ours),
            "geqp3 / ours, " + best.partition(", ")[2]]  # fmt: skip
    return table(head, (
        [row["row"], microseconds(row["times"][best]),
         *(ratio(row["times"], "libminpack1", name) for name in ours), ratio(row["times"], "geqp3", best)]
        for row in rows
    ))  # fmt: skip


def norms(rows: list[Row]) -> str:
    """A line for each kind of vector, a column for each length."""
    sizes = list(dict.fromkeys(row["n"] for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row["row"], []).append(ratio(row["times"], "libminpack1"))
    return table(["vector", *(f"n = {n}" for n in sizes)], ([kind, *cells] for kind, cells in lines.items()))


class Contest:
    """One fit against one SciPy, whole or outside func."""

    def __init__(self, row: Row) -> None:
        self.name, self.replayed, self.m = row["row"], row["replayed"], row["m"]
        self.times: Times = row["times"]
        self.answers: list[int] = row["answers"]
        self.scipy = next(name for name in self.times if name != "pyminpack")
        self.ratio = statistics.median(ratios(self.times, self.scipy))

    @property
    def slower(self) -> bool:
        return self.ratio < SLOWER

    @property
    def near(self) -> bool:
        return self.replayed and self.ratio < NEAR

    def cell(self) -> str:
        text = ratio(self.times, self.scipy)
        return (f"**{text}**" if self.slower else text) + ("\\*" if self.near else "")


def contests(files: list[Row]) -> list[Contest]:
    return [Contest(row) for file in files for row in file["rows"]]


def fits(all_contests: list[Contest]) -> str:
    """A line for each fit: our time and the ratio to each SciPy, whole and outside func."""
    scipys = list(dict.fromkeys(contest.scipy for contest in all_contests))
    found = {(contest.name, contest.replayed, contest.scipy): contest for contest in all_contests}
    head, rows = ["fit, m x n"], []
    for part in ("whole", "outside func"):
        head += [f"{part}: pyminpack, µs", *(f"{scipy} / ours" for scipy in scipys)]
    for name in dict.fromkeys(contest.name for contest in all_contests):
        cells = [name]
        for replayed in (False, True):
            of = [found.get((name, replayed, scipy)) for scipy in scipys]
            ours = of[0].times["pyminpack"] if of[0] else []
            cells += [microseconds(ours) if ours else "", *(contest.cell() if contest else "" for contest in of)]
        rows.append(cells)
    return table(head, rows)


def peak_beside_random(all_contests: list[Contest]) -> str:
    """Does a peak's tail cost more than other data of that size?"""
    scipy = all_contests[0].scipy
    found = {contest.name: contest for contest in all_contests if contest.replayed and contest.scipy == scipy}
    rows = []
    for m in (1000, 10_000):
        peak, random = (found[f"{model}, {m} x 3, Dfun"] for model in ("Gaussian peak", "random matrix"))
        each = [f"{statistics.median(fit.times['pyminpack']) / fit.answers[1] * 1e6:.1f}" for fit in (peak, random)]
        rows.append([f"{m} x 3", *each, ratio(peak.times, scipy), ratio(random.times, scipy),
                     f"{peak.ratio / random.ratio:.2f}"])  # fmt: skip
    return table(["m x n", "peak: pyminpack, µs for each call of Dfun", "random: the same", f"peak: {scipy} / ours",
                  f"random: {scipy} / ours", "peak / random"], rows)  # fmt: skip


def near(all_contests: list[Contest]) -> str:
    """The fits below 1.2 outside func, lowest first, and what profiling by hand found about them."""
    least: dict[str, float] = {}
    for contest in all_contests:
        if contest.near:
            least[contest.name] = min(contest.ratio, least.get(contest.name, NEAR))
    lines = [f"- {name}: {least[name]:.2f}\n" for name in sorted(least, key=least.__getitem__)]
    return "".join(lines) or "None.\n"


def peaks() -> str:
    rows = []
    for m, n in memory.SIZES:
        vectors = [memory.peak(package, m, n) / (8 * m) for package in ("pyminpack", "scipy.optimize")]
        rows.append([f"{m} x {n}", *(f"{peak:.2f}" for peak in vectors)])
    return table(["m x n", "pyminpack", "SciPy 1.14.1"], rows)


def fresh_table(rows: list[list[str]]) -> str:
    head = ["fit, m x n", "pyminpack, µs", "SciPy 1.14.1 / ours", "page faults a fit", "SciPy 1.14.1's"]
    return table(head, rows)


def draw(all_contests: list[Contest], path: Path) -> None:
    """Each ratio against m, a colour for each SciPy."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, replayed in zip(panels, (False, True), strict=True):
        for scipy in dict.fromkeys(contest.scipy for contest in all_contests):
            of = [contest for contest in all_contests if contest.scipy == scipy and contest.replayed is replayed]
            axes.loglog([contest.m for contest in of], [contest.ratio for contest in of], "o", markersize=4, alpha=0.6,
                        label=scipy)  # fmt: skip
        axes.axhline(1, color="black", linewidth=1)
        axes.set_title("outside func" if replayed else "whole fit")
        axes.set_xlabel("m")
        axes.grid(which="both", alpha=0.3)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    panels[0].set_ylabel("SciPy's time / ours")
    panels[0].legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="JSON")
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    files = [read(path) for path in options.files]
    all_contests = contests(files if options.print else files[3:])
    slower = [contest for contest in all_contests if contest.slower]
    slower_afresh: list[str] = []
    if options.print:
        print(fits(all_contests))
    else:
        qr, norm, curves, fitted, _ = files
        text = INTRODUCTION.format(**qr) + factorisations(qr["rows"]) + NORMS + norms(norm["rows"])
        text += FITS.format(replay=fitted["replay"] * 1e9, slower=len(slower), ratios=len(all_contests))
        text += fits(all_contests) + CURVE_FITS + fits(contests([curves])) + PEAK + peak_beside_random(all_contests)
        rows, slower_afresh = fresh.rows()
        text += FRESH.format(**qr) + fresh_table(rows)
        text += PLOT + near(all_contests) + "\n"
        text += (HERE / "profiles.md").read_text() + MEMORY + peaks()
        (DOCS / "benchmarks.md").write_text(text)
        draw(all_contests, DOCS / "benchmarks.png")
        print(text)
    for contest in slower:
        part = "outside func" if contest.replayed else "whole"
        print(f"slower: {contest.name}, {part}: {contest.scipy} / ours {contest.ratio:.3f}", file=sys.stderr)
    for case in slower_afresh:
        print(f"slower: {case}", file=sys.stderr)
    sys.exit(bool(slower or slower_afresh))


if __name__ == "__main__":
    main()
