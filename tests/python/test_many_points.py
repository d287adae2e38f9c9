"""The points of a Jacobian at once, by a vectorized func or by workers: the bits of one call after the other."""

from __future__ import annotations

import multiprocessing
import operator
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest

from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import leastsq

pytestmark = [
    pytest.mark.usefixtures("builtin_solver"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
]

X0 = np.array([3.0, 1.0, -2.0])
T = np.linspace(0, 2, 12)


def cubic(x, shift=0.0):
    """12 residuals of three variables, of + - * alone."""
    return x[0] + x[1] * T + x[2] * T * T - T * T * T - shift


def cubic_rows(x, shift=0.0):
    return x[:, 0:1] + x[:, 1:2] * T + x[:, 2:3] * T * T - T * T * T - shift


def fit(func=cubic, **options):
    return leastsq(func, X0, full_output=True, **options)


class Recorded:
    """A vectorized func of a function of one point; keeps the shapes that it was called with."""

    def __init__(self, func):
        self.func, self.shapes = func, []

    def __call__(self, x):
        self.shapes.append(x.shape)
        return np.array([self.func(row) for row in x])


@pytest.mark.parametrize("Dfun", [False, True], ids=["differences", "Dfun"])
@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
def test_vectorized_has_the_bits_of_single_calls_and_one_call_for_each_jacobian(problem, factor, Dfun):
    options = {"full_output": True, "maxfev": 200, "Dfun": problem.jacobian if Dfun else None}
    single = leastsq(problem.residuals, problem.start(factor), **options)
    func = Recorded(problem.residuals)
    assert_same_result(leastsq(func, problem.start(factor), vectorized=True, **options), single)
    n, nfev = problem.n, single[2]["nfev"]
    assert set(func.shapes) <= {(1, n), (n, n)}
    if not Dfun and n > 1:
        jacobians = func.shapes.count((n, n))
        assert len(func.shapes) + jacobians * (n - 1) == nfev


@pytest.mark.parametrize("problem", mgh.PROBLEMS[::4], ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_map_has_the_bits_of_single_calls(problem):
    single = leastsq(problem.residuals, problem.start(10), full_output=True, maxfev=100)
    mapped = leastsq(problem.residuals, problem.start(10), full_output=True, maxfev=100, workers=map)
    assert_same_result(mapped, single)


def in_reverse(func, points):
    """A map that evaluates the last point first."""
    return [func(point) for point in reversed([*points])][::-1]


MAPS = {
    "map": lambda: map,
    "a list": lambda: lambda func, points: [func(point) for point in points],
    "a generator": lambda: lambda func, points: (func(point) for point in points),
    "in reverse": lambda: in_reverse,
    "1": lambda: 1,
    "numpy's 1": lambda: np.int64(1),
    "2 processes": lambda: 2,
    "all cores": lambda: -1,
}


@pytest.mark.parametrize("name", MAPS)
def test_workers_of_every_kind(name):
    assert_same_result(fit(workers=MAPS[name]()), fit())
    assert_same_result(fit(workers=MAPS[name](), args=(0.5,)), fit(args=(0.5,)))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("pool_type", [ThreadPoolExecutor, ProcessPoolExecutor, multiprocessing.Pool],
                         ids=lambda pool_type: pool_type.__name__)  # fmt: skip
def test_the_map_of_a_pool(pool_type):
    with pool_type(2) as pool:
        assert_same_result(fit(workers=pool.map), fit())
        assert_same_result(fit(workers=pool.map, args=(0.5,)), fit(args=(0.5,)))


def test_a_lambda_goes_to_processes_that_are_forked():
    assert_same_result(fit(lambda x: cubic(x), workers=2), fit())


class Special(Exception):
    """An exception with two arguments, of which one is made."""

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b


HERE = os.getpid()


def fail_elsewhere(x):
    """cubic; but in another process an exception."""
    if os.getpid() != HERE:
        raise Special(3, "b")
    return cubic(x)


def die_elsewhere(x):
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return cubic(x)


def test_an_exception_in_a_process_passes_and_the_pool_is_closed():
    with pytest.raises(Special) as caught:
        fit(fail_elsewhere, workers=2)
    assert (caught.value.a, caught.value.b) == (3, "b")
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_an_error_and_the_pool_is_closed():
    with pytest.raises(BrokenProcessPool):
        fit(die_elsewhere, workers=2)
    assert multiprocessing.active_children() == []


def test_an_exception_of_the_fit_closes_the_pool():
    def stop(intermediate_result):
        assert len(multiprocessing.active_children()) == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(workers=2, callback=stop)
    assert multiprocessing.active_children() == []


def test_an_exception_of_a_map_passes_unchanged():
    error = LookupError("of the map")

    def broken(func, points):
        yield func(points[0])
        raise error

    with pytest.raises(LookupError) as caught:
        fit(workers=broken)
    assert caught.value is error


def test_points_are_arrays_of_their_own():
    kept = []

    def keep(func, points):
        kept.append(points)
        results = [func(point) for point in points]
        for point in points:
            point[:] = np.nan
        return results

    assert_same_result(fit(workers=keep), fit())
    assert len({id(point) for points in kept for point in points}) == 3 * len(kept)


def mapping(change):
    """A map whose results are changed."""
    return lambda func, points: change([*map(func, points)])


REFUSED = {
    "too few results": (ValueError, "leastsq: workers returned 2 results for 3 points", {
        "workers": mapping(operator.itemgetter(slice(2)))}),
    "too many results": (ValueError, "leastsq: workers returned 4 results for 3 points", {
        "workers": mapping(lambda results: [*results, results[0]])}),
    "no results": (TypeError, "'NoneType' object is not iterable", {"workers": mapping(lambda results: None)}),
    "None as a result": (TypeError, "leastsq: func 'cubic' returned None; expected real numbers", {
        "workers": mapping(lambda results: [None, *results[1:]])}),
    "a result of another size": (ValueError, "func 'cubic' returned 2 residuals, after 12 in its first call", {
        "workers": mapping(lambda results: [*results[:2], results[2][:2]])}),
    "workers = 0": (ValueError, "leastsq: workers is 0; expected -1 for all cores, or at least 1", {"workers": 0}),
    "workers = -2": (ValueError, "leastsq: workers is -2; expected -1", {"workers": -2}),
    "workers = 2.0": (TypeError, "leastsq: workers must be an integer or a map-like callable, not float", {
        "workers": 2.0}),
    "workers = 'all'": (TypeError, "workers must be an integer or a map-like callable, not str", {"workers": "all"}),
    "workers with Dfun": (ValueError, "workers .* Dfun", {"workers": 2, "Dfun": cubic}),
    "a map with Dfun": (ValueError, "workers .* Dfun", {"workers": map, "Dfun": cubic}),
    "workers with vectorized": (ValueError, "workers .* vectorized", {"workers": -1, "vectorized": True}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    error, text, options = REFUSED[case]
    with pytest.raises(error, match=text):
        fit(**options)


def test_defaults_are_never_refused():
    Dfun = partial(np.full, (12, 3), 1.0)
    for options in ({"workers": None}, {"workers": 1}, {"vectorized": False}, {"typical_x": None}):
        leastsq(lambda x: cubic(x), X0, Dfun=lambda x: Dfun() * [1, 2, 3] + np.vander(T, 3), maxfev=2000, **options)


def rows(change):
    """cubic_rows, changed."""
    return lambda x: change(cubic_rows(x))


WRONG_ROWS = {
    "a vector": (TypeError, r"returned an array of shape \(12,\); expected \(1, m\)", lambda r: r[0]),
    "a scalar": (TypeError, r"returned an array of shape \(\); expected \(1, m\)", lambda r: r[0, 0]),
    "points last": (TypeError, r"shape \(12, 1\); expected \(1, m\), the residuals at 1 point", lambda r: r.T),
    "one row for all": (TypeError, r"shape \(1, 12\); expected \(3, 12\), the residuals at 3 points", lambda r: r[:1]),
    "three dimensions": (TypeError, r"shape \(1, 1, 12\)", lambda r: r[np.newaxis]),
    "complex": (TypeError, "dtype complex128; expected real numbers", lambda r: r * 1j),
    "other columns": (ValueError, "returned 11 residuals, after 12", lambda r: r[:, : 12 - (len(r) > 1)]),
    "too few": (TypeError, "N=3 must not exceed func output vector length M=2", lambda r: r[:, :2]),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_what_a_vectorized_func_must_not_return(case):
    error, text, change = WRONG_ROWS[case]
    with pytest.raises(error, match=text):
        fit(rows(change), vectorized=True)


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda r: r.tolist(), lambda r: r.astype(">f8"), lambda r: np.repeat(r, 2, axis=0)[::2],
], ids=["column-major", "lists", "big-endian", "strided"])  # fmt: skip
def test_what_it_may_return(change):
    assert_same_result(fit(rows(change), vectorized=True), fit())


@pytest.mark.parametrize("act", [
    lambda x: x.fill(np.nan), lambda x: setattr(x, "shape", x.shape[::-1]), lambda x: x.resize(0, refcheck=False),
], ids=["numbers", "shape", "size"])  # fmt: skip
def test_it_may_do_what_it_likes_with_its_points(act):
    def spoil(x):
        result = cubic_rows(x)
        act(x)
        return result

    assert_same_result(fit(spoil, vectorized=True), fit())


@pytest.mark.parametrize(("keyword", "value"), [
    ("callback", print), ("vectorized", True), ("workers", map), ("nonfinite", "raise"), ("typical_x", 1.0),
])  # fmt: skip
def test_MINPACKs_own_drivers_refuse_it(keyword, value, monkeypatch):
    func = cubic_rows if keyword == "vectorized" else cubic
    with pytest.raises(NotImplementedError, match=f"^leastsq: {keyword}.* solver 'original'"):
        fit(func, solver="original", **{keyword: value})
    monkeypatch.setenv("PYMINPACK_SOLVER", "original")
    with pytest.raises(NotImplementedError, match=f"^leastsq: {keyword}.* solver 'original'.*PYMINPACK_SOLVER"):
        fit(func, **{keyword: value})
    fit(func, solver="builtin", **{keyword: value if keyword != "callback" else lambda x: None})
