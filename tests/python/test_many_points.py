"""The points of a Jacobian at once, by a vectorized func or by workers: the bits of one call after the other."""

from __future__ import annotations

import itertools
import operator
import time
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest

from helpers.process_pool import ProcessPool
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import leastsq

pytestmark = [
    pytest.mark.usefixtures("builtin_solver"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
    pytest.mark.thread_unsafe(reason="starts processes of its own by fork, and counts them"),
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


def filled(func, points):
    """A map that puts the results into an array, as one of MPI may."""
    results = np.empty((len(points), T.size))
    for row, point in zip(results, points, strict=True):
        row[:] = func(point)
    return results


MAPS = {
    "map": lambda: map,
    "a list": lambda: lambda func, points: [func(point) for point in points],
    "a generator": lambda: lambda func, points: (func(point) for point in points),
    "in reverse": lambda: in_reverse,
    "1": lambda: 1,
    "numpy's 1": lambda: np.int64(1),
    "2 processes": lambda: 2,
    "all cores": lambda: -1,
    "any order": lambda: lambda func, points: [func(points[j]) for j in (1, 2, 0)],
    "any order, by a generator": lambda: lambda func, points: map(func, points[::-1]),
    "a queue": lambda: lambda func, points: [func(points.pop()) for _ in range(len(points))],
    "lists in place of points": lambda: lambda func, points: [func(point.tolist()) for point in points[::-1]],
    "an array of all results": lambda: lambda func, points: np.array([func(point) for point in points]),
    "an array that is filled": lambda: filled,
    "results that are used": lambda: lambda func, points: [2 * func(point)[:] / 2.0 for point in points],
    "results whose methods are called": lambda: lambda func, points: [func(point).copy() for point in points],
}


@pytest.mark.usefixtures("new_children")
@pytest.mark.parametrize("name", MAPS)
def test_workers_of_every_kind(name):
    assert_same_result(fit(workers=MAPS[name]()), fit())
    assert_same_result(fit(workers=MAPS[name](), args=(0.5,)), fit(args=(0.5,)))


def slow_first(x, shift=0.0):
    """cubic; the point that is handed out first is ready last."""
    if x[0] != X0[0]:
        time.sleep(0.03)
    return cubic(x, shift)


def as_they_are_ready(pool):
    """The map of an executor whose results come as they are ready, as joblib's and dask's may."""
    return lambda func, points: (future.result() for future in as_completed(pool.submit(func, p) for p in points))


POOLS = {
    "threads": (ThreadPoolExecutor, lambda pool: pool.map),
    "threads, as they are ready": (ThreadPoolExecutor, as_they_are_ready),
    "processes": (ProcessPoolExecutor, lambda pool: pool.map),
    "processes, as they are ready": (ProcessPoolExecutor, as_they_are_ready),
    "Pool.map": (ProcessPool, lambda pool: pool.map),
    "Pool.imap": (ProcessPool, lambda pool: pool.imap),
    "Pool.imap_unordered": (ProcessPool, lambda pool: pool.imap_unordered),
    "ThreadPool.imap_unordered": (ThreadPool, lambda pool: pool.imap_unordered),
}


@pytest.mark.parametrize("name", POOLS)
def test_the_maps_of_a_pool(name):
    pool_type, map_of = POOLS[name]
    with pool_type(2) as pool:
        assert_same_result(fit(slow_first, workers=map_of(pool)), fit())
        assert_same_result(fit(slow_first, workers=map_of(pool), args=(0.5,)), fit(args=(0.5,)))


def test_a_map_may_ignore_func():
    assert_same_result(fit(workers=lambda func, points: [cubic(point) for point in points]), fit())


def test_equal_points_get_one_result_each():
    x0 = np.array([np.inf, 1.0, np.inf])  # where a step changes nothing

    def two(x):
        return np.array([x[1] - 2, x[1], 1.0])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same_result(
            leastsq(two, x0, full_output=True, workers=lambda func, points: map(func, points[::-1])),
            leastsq(two, x0, full_output=True),
        )


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


def nothing_elsewhere(x):
    return cubic(x) if np.array_equal(x, X0) else None


Dasked = type("Dasked", (), {"__module__": "distributed.client"})
Joblibs = type("Joblibs", (), {"__module__": "joblib.parallel", "__call__": lambda self, iterable: list(iterable)})

REFUSED = {
    "too few results": (ValueError, "leastsq: workers returned 2 results for 3 points", {
        "workers": mapping(operator.itemgetter(slice(2)))}),
    "too many results": (ValueError, "leastsq: workers returned at least 4 results for 3 points", {
        "workers": mapping(lambda results: [*results, results[0]])}),
    "endless results": (ValueError, "leastsq: workers returned at least 4 results for 3 points", {
        "workers": mapping(itertools.cycle)}),
    "one result twice": (ValueError, "leastsq: workers returned two results for one point, and none for another", {
        "workers": mapping(lambda results: [results[0], *results[:2]])}),
    "one result and one of its own": (ValueError, "leastsq: workers returned two results for one point", {
        "workers": mapping(lambda results: [results[1], np.asarray(results[0]), results[2]])}),
    "points of its own": (ValueError, r"leastsq: workers called func at \[3.0, 1.0, -2.0\]; expected one of the", {
        "workers": lambda func, points: [func(point.astype("f")) for point in points]}),
    "all points in one call": (TypeError, "leastsq: workers called func with 3 arguments; expected a point alone", {
        "workers": lambda func, points: func(*points)}),
    "no results": (TypeError, "leastsq: workers returned None; expected the results of func, .* workers=pool.map", {
        "workers": mapping(lambda results: None)}),
    "a future": (TypeError, "leastsq: workers returned a Future; expected the results of func, .* workers=pool.map", {
        "workers": mapping(lambda results: Future())}),
    "futures": (TypeError, "leastsq: workers returned a Future for point 0; .* workers=pool.map", {
        "workers": mapping(lambda results: [Future()] * 3)}),
    "dask's futures": (TypeError, r"returned a Dasked for point 0; .* use .*client.gather\(client.map\(f, points\)\)", {
        "workers": mapping(lambda results: [Dasked()] * 3)}),
    "joblib's Parallel": (TypeError, r"cannot be called as workers\(func, points\): .* use .*delayed\(f\)\(point\)", {
        "workers": Joblibs()}),
    "None as a result": (TypeError, "leastsq: workers returned None for point 0; expected what func returns there", {
        "workers": mapping(lambda results: [None, *results[1:]])}),
    "None of func": (TypeError, "leastsq: func 'nothing_elsewhere' returned None; expected real numbers", {
        "func": nothing_elsewhere, "workers": map}),
    "text": (TypeError, "leastsq: workers returned an array of dtype <U1; expected real numbers", {
        "workers": mapping(lambda results: "abc")}),
    "a result of another size": (ValueError, "workers returned 2 residuals, after 12 in its first call", {
        "workers": mapping(lambda results: [*results[:2], results[2][:2]])}),
    "workers = 0": (ValueError, "leastsq: workers is 0; expected -1 for all cores, or at least 1", {"workers": 0}),
    "workers = -2": (ValueError, "leastsq: workers is -2; expected -1", {"workers": -2}),
    "workers = 2.0": (TypeError, "leastsq: workers must be an integer or a map-like callable, not float;", {
        "workers": 2.0}),
    "an executor": (TypeError, "map-like callable, not ThreadPoolExecutor; use .* workers=pool.map", {
        "workers": ThreadPoolExecutor()}),
    "workers = 'all'": (TypeError, "workers must be an integer or a map-like callable, not str", {"workers": "all"}),
    "workers with Dfun": (ValueError, "workers .* Dfun", {"workers": 2, "Dfun": cubic}),
    "a map with Dfun": (ValueError, "workers .* Dfun", {"workers": map, "Dfun": cubic}),
    "workers with vectorized": (ValueError, "workers .* vectorized", {"workers": -1, "vectorized": True}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_workers_are_refused(case):
    error, text, options = REFUSED[case]
    with pytest.raises(error, match=text):
        fit(**options)


def test_defaults_are_never_refused():
    for options in ({"workers": None}, {"workers": 1}, {"vectorized": False}, {"typical_x": None}):
        leastsq(lambda x: cubic(x), X0, Dfun=lambda x: np.vander(T, 3, increasing=True), **options)


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
@pytest.mark.needs_original
def test_MINPACKs_own_drivers_refuse_it(keyword, value, monkeypatch):
    func = cubic_rows if keyword == "vectorized" else cubic
    with pytest.raises(NotImplementedError, match=f"^leastsq: solver='original' does not support {keyword}"):
        fit(func, solver="original", **{keyword: value})
    monkeypatch.setenv("PYMINPACK_SOLVER", "original")
    with pytest.raises(NotImplementedError, match=f"^leastsq: .* not support {keyword}.*PYMINPACK_SOLVER"):
        fit(func, **{keyword: value})
    fit(func, solver="builtin", **{keyword: value if keyword != "callback" else lambda x: None})
