"""The steps of a fit, in hexadecimal floats: to be pinned by a regression test, and compared with to the bit.

    python pinned_steps.py FILE        writes the steps of a fit there, or names the first that differs from it
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pyminpack import leastsq

NUMBERS = ("fnorm", "gnorm", "xnorm", "pnorm", "delta", "par", "ratio", "trial_fnorm")


def steps(func: Callable[..., Any], x0: Any, **options: Any) -> list[dict[str, Any]]:
    """What leastsq knows after each trial step, and its result as the last; JSON can hold it."""
    found: list[dict[str, Any]] = []

    def note(intermediate_result: Any) -> None:
        r = intermediate_result
        found.append({name: float(getattr(r, name)).hex() for name in NUMBERS}
                     | {"x": [float(x).hex() for x in r.x], "nit": r.nit, "nfev": r.nfev, "accepted": r.accepted})

    x, _, infodict, _, ier = leastsq(func, x0, full_output=True, callback=note, **options)
    return [*found, {"x": [float(value).hex() for value in x], "nfev": infodict["nfev"], "ier": ier}]


def difference(found: list[dict[str, Any]], pinned: list[dict[str, Any]]) -> str | None:
    """The first difference of two lists of steps, in words; None where there is none."""
    for number, (ours, theirs) in enumerate(zip(found, pinned, strict=False), 1):
        for name in theirs:
            if ours.get(name) != theirs[name]:
                return f"step {number}: {name} is {ours.get(name)}, and was {theirs[name]}"
    return None if len(found) == len(pinned) else f"{len(found)} steps, and there were {len(pinned)}"


def main() -> int:
    t = np.arange(1.0, 11.0)
    path, found = Path(sys.argv[1]), steps(lambda x: x[0] / (x[1] + t) - 1 / t, [1.0, 1.0])
    if not path.exists():
        path.write_text(json.dumps(found, indent=1))
        return 0
    differs = difference(found, json.loads(path.read_text()))
    print(differs or f"{len(found)} steps, all the same")
    return int(differs is not None)


if __name__ == "__main__":
    sys.exit(main())
