"""Write docs/benchmarks.md and docs/benchmarks.png from pytest-benchmark's JSON files.

    python benchmarks/report.py FACTORISATIONS.json FITS.json FITS_OF_ANOTHER_SCIPY.json

A ratio is a contestant's median over ours, of one turn each; printed are the median of the turns' ratios and, in
brackets, the least and the largest.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import memory

DOCS = Path(__file__).resolve().parent.parent / "docs"

INTRODUCTION = """# Speed and memory

Written by `./dev bench` ({cpu}; NumPy {numpy}; one thread). Contestants take turns in one process, five times, each
time with 3 to 200 runs by size; a turn's figure is their median. A ratio compares a contestant's turn with ours next to
it: above 1, ours is faster. The median of the five ratios is given, with the least and the largest in brackets. Every
turn's result is checked: ours, libminpack1's and SciPy 1.14.1's are equal to the bit.

## QR factorisation with column pivoting

qrfac alone, of a matrix of random numbers, ours compiled for each instruction set; geqp3 is LAPACK's, of SciPy's
OpenBLAS. With few columns LAPACK is ahead: it adds a sum in several parts at once. MINPACK's bits are those of one
addition after the other, for the norm of each pivot and then for the dot products with it, and the second cannot begin
before the first has ended: two additions' latency per row and reflector is the bound. The arrays begin where panels
fall on cache lines. In a fit they begin where NumPy puts them, often 16 bytes off, which at 1000 x 100 takes a quarter
more.

"""

FITS = """
## Fits

"Outside func": func's and Dfun's answers come from a recording (some 70 ns a call), so that only leastsq is timed.

"""

PLOT = """
![Time of a fit against m and against n](benchmarks.png)

## Peak memory

What a fit by differences adds to the peak of a fresh process, in units of 8 m bytes, the size of a vector of residuals:
n for the Jacobian, and at any time one for what func has just returned. Up to 16384 rows and from 8 columns, qrfac
works with a copy of eight columns, which is at most 1 MiB.

"""

Times = dict[str, dict[str, list[float]]]  # case, contestant: medians in order of turns


def read(path: str) -> tuple[Times, list[dict[str, Any]], dict[str, Any]]:
    """The times in a file, what is known of each case, and of the machine."""
    with open(path) as file:
        data = json.load(file)
    times: Times = {}
    benchmarks = sorted(data["benchmarks"], key=lambda benchmark: benchmark["extra_info"]["turn"])
    for benchmark in benchmarks:
        info = benchmark["extra_info"]
        times.setdefault(info["case"], {}).setdefault(info["contestant"], []).append(benchmark["stats"]["median"])
    return times, [benchmark["extra_info"] for benchmark in benchmarks], data["machine_info"]


def ratio(theirs: list[float], ours: list[float]) -> str:
    """A table's cell."""
    ratios = sorted(a / b for a, b in zip(theirs, ours, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def microseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e6:.4g}"


def factorisations(times: Times) -> str:
    """Our time, libminpack1's ratio to each of ours, geqp3's to the best of ours."""
    ours = [name for name in next(iter(times.values())) if name.startswith("pyminpack, ")]
    best = ours[0]
    head = ["m x n", f"{best}, µs", *(f"libminpack1 / ours, {name.partition(', ')[2]}" for name in ours),
            "geqp3 / ours, " + best.partition(", ")[2]]  # fmt: skip
    return table(head, (
        [case, microseconds(of[best]), *(ratio(of["libminpack1"], of[name]) for name in ours),
         ratio(of["geqp3"], of[best])]
        for case, of in times.items()
    ))  # fmt: skip


def fits(files: list[Times]) -> str:
    """Our time, and each SciPy's ratio to ours in its own run."""
    scipys = [next(name for name in next(iter(times.values())) if name != "pyminpack") for times in files]
    rows = []
    for case, of in files[0].items():
        cells = [ratio(times[case][name], times[case]["pyminpack"]) for times, name in zip(files, scipys, strict=True)]
        rows.append([case, microseconds(of["pyminpack"]), *cells])
    return table(["fit, m x n", "pyminpack, µs", *(f"{name} / ours" for name in scipys)], rows)


def peaks() -> str:
    rows = []
    for m, n in memory.SIZES:
        vectors = [memory.peak(package, m, n) / (8 * m) for package in ("pyminpack", "scipy.optimize")]
        rows.append([f"{m} x {n}", *(f"{peak:.2f}" for peak in vectors)])
    return table(["m x n", "pyminpack", "SciPy 1.14.1"], rows)


def draw(files: list[Times], cases: list[dict[str, Any]], path: Path) -> None:
    """Time against m for n = 10, and against n for m = 1000."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, size, fixed in zip(panels, "mn", ("n = 10", "m = 1000"), strict=True):
        points = {info["case"]: info[size] for info in cases if info["sweep"] == size}
        for number, times in enumerate(files):
            for contestant in next(iter(times.values())):
                if number and contestant == "pyminpack":
                    continue
                y = [statistics.median(times[case][contestant]) for case in points]
                axes.loglog(list(points.values()), y, "o-", markersize=3, label=contestant)
        axes.set_xlabel(f"{size} ({fixed})")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("seconds in leastsq, outside func and Dfun")
    panels[0].legend()
    figure.savefig(path, dpi=110)


def main(factorised: str, *fitted: str) -> None:
    qr, _, machine = read(factorised)
    solved = [read(path) for path in fitted]
    files = [times for times, _, _ in solved]
    import numpy as np

    text = INTRODUCTION.format(cpu=machine["cpu"].get("brand_raw", machine["machine"]), numpy=np.__version__)
    text += factorisations(qr) + FITS + fits(files) + PLOT + peaks()
    (DOCS / "benchmarks.md").write_text(text)
    draw(files, solved[0][1], DOCS / "benchmarks.png")
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
