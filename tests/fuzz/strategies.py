"""Hypothesis strategies for the fuzz tests' cases; the simplest choice comes first, as shrinking has it."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from fuzz.cases import KERNELS, Batch, Case
from fuzz.families import DATA, FAMILIES, RDWARF, RGIANT, STARTS, STRUCTURES

EPSMCH = 2.22044604926e-16  # MINPACK's, larger than 2**-52 by 4 parts in 1e12
DENORMAL, TINY, HUGE = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308

# What stands here twice is drawn twice as often. Sizes are those of blocks of vectorised code, and one more or less.
SIZES = [1, 2, 3, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17, 25]
MORE = [0, 1, 2, 0, 3, 5, 8, 20, 65, 200]
KERNEL_SIZES = [*SIZES, 2, 3, 4, 5, 12, 15, 16, 24, 25, 33, 41]
KERNEL_MORE = [*MORE, 1, 2, 4, 30, 64, 130, -1]
SPECIALS = [0.0, -0.0, 1.0, nan, inf, -inf, DENORMAL, -DENORMAL, 1e-310, TINY, -HUGE, HUGE / 2, 1e-200, -1e200,
            RDWARF, RDWARF * (1 - 2**-53), RGIANT, RGIANT / 2, RGIANT / 3, EPSMCH]  # fmt: skip
NOT_FINITE = [nan, inf, -inf]
SCALES = [1e-8, 1e8, 1e-20, 1e19, 1e30, 1e-100, 1e100, 1e-160, 1e155, 1e-200, 1e200, 1e-300, 1e300, 5e307]

drivers = st.sampled_from(["lmdif", "lmder"])
routines = st.sampled_from([*KERNELS, "qrfac", "qrfac"])
families = st.sampled_from(list(FAMILIES))
data = st.sampled_from([*DATA, *4 * ["normal"]])
structures = st.sampled_from(["dense", "dense", *STRUCTURES])
starts = st.sampled_from([*STARTS, *4 * ["near"], "far"])
noises = st.sampled_from([0.0, 0.1, 1.0])
seeds = st.integers(0, 2**24)
modes = st.sampled_from([2, 2, 2, 0])
call_numbers = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 30, -1])

# The fields of Case that are mostly left at their default.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "x_scale": st.sampled_from(SCALES),
    "f_scale": st.sampled_from([*4 * [-1.0], *SCALES]),
    "slope": st.sampled_from([-1.0, 0.5, 2.0, 0.0, 1e-8, 1e8]),
    "poison": st.lists(
        st.tuples(call_numbers, st.integers(0, 7), st.sampled_from(NOT_FINITE) | st.sampled_from(SPECIALS)),
        min_size=1, max_size=3,
    ).map(tuple),
    "stop": st.tuples(call_numbers, st.sampled_from([-1, 1, -999])),
    "ftol": st.sampled_from([0.0, 1e-3, 1e-15, EPSMCH, inf, nan, 1e-300]),
    "xtol": st.sampled_from([0.0, 1e-3, 1e-15, EPSMCH, inf, nan, 1e-300]),
    "gtol": st.sampled_from([*4 * [1e-8, 1e-2, EPSMCH, nan], inf, -1.0]),
    "maxfev": st.sampled_from([*3 * [5, 10, 300], 1, 2, 3, 0]),
    "epsfcn": st.sampled_from([1e-10, 1e-4, 1.0, 2.0**-52, EPSMCH, 1e-300, 1e300, -1.0, inf, nan]),
    "factor": st.sampled_from([*2 * [1.0, 0.1, 1e-5, 1e5, 1e-300, 1e300, DENORMAL, inf, nan], 0.0]),
    "diag": st.lists(st.sampled_from([*3 * [1.0, 2.0, 1e-3, 1e6], 1e-200, 1e200, DENORMAL, inf, nan, 0.0]),
                     min_size=1, max_size=3).map(tuple),
    "padding": st.sampled_from([*5 * [1, 3], -1]),
}  # fmt: skip
OPTIONAL = {driver: st.lists(st.sampled_from([name for name in FIELDS if name != other]), max_size=5, unique=True)
            for driver, other in (("lmdif", "slope"), ("lmder", "epsfcn"))}  # fmt: skip

sizes, more = st.sampled_from(SIZES), st.sampled_from(MORE)
kernel_sizes, kernel_more = st.sampled_from(KERNEL_SIZES), st.sampled_from(KERNEL_MORE)
recipe = st.tuples(data, structures, st.sampled_from([*5 * [1.0], *SCALES]))
recipes = st.lists(recipe, min_size=1, max_size=5).map(tuple)
kernel_specials = st.lists(st.sampled_from(SPECIALS), max_size=3).map(tuple)
paddings = st.sampled_from([0, 0, 1, 3])


@st.composite
def solves(draw: st.DrawFn) -> Case:
    driver = draw(drivers)
    names = draw(OPTIONAL[driver])
    options = {name: draw(FIELDS[name]) for name in names}
    if "diag" in names:
        options["mode"] = draw(modes)
    return Case(driver, draw(families), draw(data), draw(structures), draw(starts), draw(sizes), draw(more),
                draw(seeds), draw(noises), **options)  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    routine, n, extra = draw(routines), draw(kernel_sizes), draw(kernel_more)
    options: dict[str, Any] = {}
    if routine in ("qrsolv", "lmpar"):
        options["factored"], extra = draw(st.booleans()), max(extra, 0)
    if routine in ("lmpar", "fdjac2"):
        options["extreme"] = draw(st.booleans())
    if routine == "qrfac":
        options["pivot"] = not draw(st.booleans())
    if routine != "enorm":
        options["padding"] = draw(paddings)
    return Batch(routine, n, extra, draw(seeds), draw(recipes), draw(kernel_specials), **options)
