"""Record what libminpack1 gives for each call of `python -m pyminpack --selftest`.

    PYTHONPATH=tests python tests/processes/record_selftest.py

Writes src/pyminpack/_selftest.json. Needs a pyminpack installed with the calls that are to be recorded.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from helpers.build import REPOSITORY
from oracles.libminpack import libminpack
from pyminpack._selftest import OUTPUTS, Case, bits, cases

FILE = REPOSITORY / "src" / "pyminpack" / "_selftest.json"


def answer(case: Case) -> Any:
    """libminpack1's."""
    if case.routine in ("lmdif", "lmder"):
        func, *Dfun, x0 = case.arguments
        return getattr(libminpack, case.routine)(func, *Dfun, x0, len(func(np.array(x0))))
    if case.routine == "chkder":  # in mode 1, which reads nothing but x
        return libminpack.chkder(*case.arguments, [0.0], np.zeros((1, np.size(case.arguments[0]))), [0.0], 1)
    return getattr(libminpack, case.routine)(*case.arguments)


def recorded() -> dict[str, dict[str, str]]:
    """What the file holds."""
    found = {}
    for case in cases():
        result = answer(case)
        found[case.name] = {name: bits(getattr(result, name, result)) for name in OUTPUTS[case.routine]}
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(recorded(), indent=1) + "\n", encoding="utf-8")
