"""How far a SciPy agrees with MINPACK's bits, on the problems of problems/mgh.py from 1, 10 and 100 times their starts.

    dialects.py record FILE    # what pyminpack finds, where it is installed
    dialects.py compare FILE   # count the fits in which this environment's SciPy finds the same

`./dev dialects` does both, for several releases of SciPy on one NumPy.
"""

import json
import sys
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path

from problems import mgh

EPSMCH = 2.22044604926e-16  # MINPACK's precision

# How the derivatives come, and what leastsq is told for that.
WAYS = {
    "differences": lambda problem: {},
    "differences with MINPACK's epsfcn": lambda problem: {"epsfcn": EPSMCH},
    "Jacobian": lambda problem: {"Dfun": problem.jacobian},
}


def fits(leastsq):
    """The bits of every fit, by way, problem and factor of the start."""
    found = {}
    for way, options in WAYS.items():
        for problem in mgh.PROBLEMS:
            for factor in (1, 10, 100):
                x, _, info, _, ier = leastsq(problem.residuals, problem.start(factor), full_output=True,
                                             **options(problem))
                found[f"{way}: {problem}, {factor}"] = [x.tobytes().hex(), info["fvec"].tobytes().hex(),
                                                        info["nfev"], ier, int(info["ipvt"].min())]
    return found


def main(action, path):
    """Record, or compare."""
    warnings.simplefilter("ignore")
    if action == "record":
        Path(path).write_text(json.dumps(fits(import_module("pyminpack").leastsq)))
        return
    scipy, expected = import_module("scipy"), json.loads(Path(path).read_text())
    found = fits(import_module("scipy.optimize").leastsq)
    same = Counter(key.split(":")[0] for key, fit in found.items() if fit[:4] == expected[key][:4])
    print(f"SciPy {scipy.__version__}: ipvt from {min(fit[4] for fit in found.values())};",
          ", ".join(f"{way}: {same[way]} of {len(found) // len(WAYS)} the same" for way in WAYS))


if __name__ == "__main__":
    main(*sys.argv[1:])
