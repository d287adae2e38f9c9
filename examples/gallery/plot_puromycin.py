"""
Two groups with a shared parameter
==================================

Enzyme rates with and without Puromycin (Bates and Watts, 1988): Michaelis and Menten's ``V * x / (K + x)`` for each
group. Do both need a ``K`` of their own?
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from pyminpack import leastsq, uncertainty

sets = json.loads((Path(sys.argv[0]).resolve().parents[1] / "bates_watts.json").read_text())
treated, untreated = (
    (np.array(entry["x"]), np.array(entry["y"])) for entry in sets if entry["name"].startswith("Puromycin")
)


def rate(x: Any, v: Any, k: Any) -> Any:
    return v * x / (k + x)


def own(p: Any) -> Any:
    """p: V and K treated, V and K untreated."""
    return np.concatenate([rate(treated[0], p[0], p[1]) - treated[1], rate(untreated[0], p[2], p[3]) - untreated[1]])


def shared(p: Any) -> Any:
    """p: V treated, V untreated, the K of both."""
    return own([p[0], p[2], p[1], p[2]])


# %%
# The sums of squares tell: a fourth parameter that lowers ``s`` from ``s_shared`` to ``s_own`` is worth ``F =
# (s_shared - s_own) / (s_own / freedom)``, to be compared with 4.4, the 95 % point of F with 1 and 19 degrees.

fits = {}
for name, func, start in (("own K", own, [200, 0.1, 160, 0.1]), ("shared K", shared, [200, 160, 0.1])):
    p, cov_x, infodict, mesg, ier = leastsq(func, start, full_output=True)
    result = uncertainty(p, cov_x, infodict)
    fits[name] = p, np.sum(infodict["fvec"] ** 2), result.freedom
    print(f"{name}: " + ", ".join(f"{v:.4g} ± {e:.2g}" for v, e in zip(p, result.standard_errors, strict=True)))
s_own, s_shared = fits["own K"][1], fits["shared K"][1]
print(f"F = {(s_shared - s_own) / (s_own / fits['own K'][2]):.2f}")

# %%

dense = np.linspace(0, 1.15, 300)
p, q = fits["own K"][0], fits["shared K"][0]
figure, axes = plt.subplots(layout="constrained")
for label, (x, y), own_pair, shared_pair, colour in (
    ("treated", treated, p[:2], q[[0, 2]], "tab:blue"),
    ("untreated", untreated, p[2:], q[[1, 2]], "tab:orange"),
):
    axes.plot(x, y, "o", color=colour, label=label)
    axes.plot(dense, rate(dense, *own_pair), color=colour)
    axes.plot(dense, rate(dense, *shared_pair), "--", color=colour)
axes.plot([], [], color="0.4", label="own K")
axes.plot([], [], "--", color="0.4", label="shared K")
axes.set(xlabel="substrate concentration, ppm", ylabel="rate, counts/min²", ylim=(0, None))
axes.legend(frameon=False)
plt.show()
