"""The 53 cases of Moré and Wild, as optimagic has them, with their values at the start and at the solution.

Source: J. J. Moré, S. M. Wild, *Benchmarking derivative-free optimization algorithms*, SIAM J. Optim. 20(1), 2009.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One case; `at_start` and `at_solution` are sums of squares."""

    name: str
    func: Callable[[Array], Any]
    start: Array
    at_start: float
    at_solution: float

    def __str__(self) -> str:
        return self.name

    def residuals(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(self.func(x), float)


def cases(folder: Path) -> Iterator[Case]:
    """All cases; of optimagic only the file that has them is loaded, without what the package needs."""
    stub = ModuleType("optimagic")
    stub.mark = SimpleNamespace(least_squares=lambda func: func)  # type: ignore[attr-defined]
    present = sys.modules.get("optimagic")
    sys.modules["optimagic"] = stub
    try:
        found = runpy.run_path(str(folder / "optimagic" / "benchmarking" / "more_wild.py"))
    finally:
        sys.modules.pop("optimagic")
        if present is not None:
            sys.modules["optimagic"] = present
    for name, case in found["MORE_WILD_PROBLEMS"].items():
        yield Case(name, case["fun"], np.array(case["start_x"], float), case["start_criterion"],
                   case["solution_criterion"])  # fmt: skip
