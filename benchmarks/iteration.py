"""Time what surrounds the iteration, and write docs/iteration.md: `./dev iteration`.

Contestants take turns, as in the other benchmarks. Missed bars are listed, and the status is then 1.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from conftest import processor
from helpers.bits import assert_same_bits
from pyminpack import LevenbergMarquardt, leastsq
from turns import interleave

PAGE = Path(__file__).resolve().parents[1] / "docs" / "iteration.md"
BUDGET = 2.0  # seconds per row

INTRODUCTION = """# The time around the iteration

Written by `./dev iteration` ({processor}, {cores} cores; NumPy {numpy}). Contestants take turns in one process;
medians, with the quartiles in brackets. Every result is checked: leastsq's bits.

| what | measured | at least |
|---|--:|--:|
"""

# (what, the measurement in words, the bar in words, whether it is reached)
Row = tuple[str, str, str, bool]


def spread(values: list[float], digits: int = 2) -> str:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def turn(act: Callable[[], Any]) -> Callable[[int], float]:
    def run(runs: int) -> float:
        start = time.perf_counter()
        for _ in range(runs):
            act()
        return time.perf_counter() - start

    return run


def compare(first: Callable[[], Any], second: Callable[[], Any]) -> list[tuple[float, float]]:
    """Seconds per run of each, turn by turn."""
    times = interleave({"first": turn(first), "second": turn(second)}, BUDGET)
    return list(zip(times["first"], times["second"], strict=True))


# A fit of many steps with cheap functions: a cubic from far away, halved again and again.
LONG = {"x0": [1e100], "Dfun": lambda x: np.array([[3 * x[0] ** 2], [0.0]]), "ftol": 0, "xtol": 0, "maxfev": 10**5}


def cubic(x: Any) -> Any:
    return np.array([x[0] ** 3, 0.0])


def callbacks() -> Iterator[Row]:
    steps = [0]

    def count(intermediate_result: Any) -> None:
        steps[0] += 1

    assert_same_bits(leastsq(cubic, callback=count, **LONG)[0], leastsq(cubic, **LONG)[0])

    def nothing(intermediate_result: Any) -> None:
        pass

    pairs = compare(lambda: leastsq(cubic, **LONG), lambda: leastsq(cubic, callback=nothing, **LONG))
    each = [(with_it - without) / steps[0] * 1e6 for without, with_it in pairs]
    text = f"{spread(each)} µs a step"
    yield f"a callback that does nothing, over {steps[0]} steps", text, "at most 0.3", statistics.median(each) <= 0.3


def ask_and_tell() -> Iterator[Row]:
    options = {name: value for name, value in LONG.items() if name not in ("x0", "Dfun")}
    answers = []
    fit = LevenbergMarquardt(LONG["x0"], jacobian=True, **options)
    while not fit.done:
        x = fit.ask()[0]
        answers.append(LONG["Dfun"](x) if fit.request == "jacobian" else cubic(x))
        fit.tell(answers[-1])
    assert_same_bits(fit.x, leastsq(cubic, **LONG)[0])

    def told_again() -> None:
        fit = LevenbergMarquardt(LONG["x0"], jacobian=True, **options)
        for answer in answers:
            fit.ask()
            fit.tell(answer)

    times = [seconds / len(answers) * 1e6 for seconds in interleave({"told": turn(told_again)}, BUDGET)["told"]]
    yield (
        f"ask, and tell as an array, {len(answers)} times, with the numerics of m = 2, n = 1",
        f"{spread(times)} µs",
        "at most 2",
        statistics.median(times) <= 2,
    )


T = np.linspace(0, 10, 200)


def six_peaks(p: Any) -> Any:
    """Six Gaussian peaks and a line, in a loop; p of shape (n,) or (k, n)."""
    p = np.atleast_2d(p)
    y = p[:, 18:19] + p[:, 19:20] * T
    for j in range(0, 18, 3):
        y = y + p[:, j : j + 1] * np.exp(-(((T - p[:, j + 1 : j + 2]) / p[:, j + 2 : j + 3]) ** 2))
    return y


TRUE = np.array([*np.ravel([[3.0 + j, 1.5 * j + 1, 0.4 + 0.05 * j] for j in range(6)]), 1.0, 0.1])
DATA = six_peaks(TRUE)[0] + 0.01 * np.sin(37 * T)
SHORT = np.linspace(0, 4, 50)
DECAY = 5 * np.exp(-0.5 * SHORT) + 0.3 + 0.01 * np.sin(40 * SHORT)


def vectorized() -> Iterator[Row]:
    models: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any, float]] = {
        "six peaks and a line, 200 x 20": (
            lambda p: six_peaks(p)[0] - DATA,
            lambda p: six_peaks(p) - DATA,
            TRUE * 1.02,
            2.0,
        ),
        "an exponential, 50 x 3": (
            lambda p: p[0] * np.exp(-p[1] * SHORT) + p[2] - DECAY,
            lambda p: p[:, 0:1] * np.exp(-p[:, 1:2] * SHORT) + p[:, 2:3] - DECAY,
            np.array([1.0, 1.0, 0.0]),
            0.9,
        ),
    }
    for name, (func, rows, x0, bar) in models.items():
        calls = [0]

        def counted(p: Any, rows: Any = rows, calls: list[int] = calls) -> Any:
            calls[0] += 1
            return rows(p)

        plain = leastsq(func, x0, full_output=True)
        at_once = leastsq(counted, x0, full_output=True, vectorized=True)
        assert_same_bits(at_once[0], plain[0])
        assert at_once[2]["nfev"] == plain[2]["nfev"]
        pairs = compare(
            lambda func=func, x0=x0: leastsq(func, x0), lambda rows=rows, x0=x0: leastsq(rows, x0, vectorized=True)
        )
        ratios = [one_by_one / all_at_once for one_by_one, all_at_once in pairs]
        text = f"{spread(ratios)} times; {plain[2]['nfev']} points in {calls[0]} calls"
        yield f"vectorized, {name}: the time without / with", text, f"{bar}", statistics.median(ratios) >= bar


SECONDS = 0.01  # for a call of a slow function


def slow(x: Any) -> Any:
    time.sleep(SECONDS)
    return np.concatenate([x**2 - np.arange(1, x.size + 1), 0.1 * x])


def workers() -> Iterator[Row]:
    for kind, pool_type in (("threads", ThreadPoolExecutor), ("processes", ProcessPoolExecutor)):
        for n in (8, 16):
            with pool_type(2) as pool:
                assert isinstance(pool, Executor)
                list(pool.map(slow, [np.ones(n)] * 4))  # warm
                of = []
                for _ in range(5):
                    start = time.perf_counter()
                    fit = leastsq(slow, np.full(n, 1.5), full_output=True, workers=pool.map)
                    with_two = time.perf_counter() - start
                    start = time.perf_counter()
                    alone = leastsq(slow, np.full(n, 1.5), full_output=True)
                    by_itself = time.perf_counter() - start
                    assert_same_bits(fit[0], alone[0])
                    assert fit[2]["nfev"] == alone[2]["nfev"]
                    jacobians, trials = divide(alone[2]["nfev"], n)
                    bound = (1 + n * jacobians + trials) / (1 + ceil(n / 2) * jacobians + trials)
                    of.append(by_itself / with_two / bound)
            yield f"workers: two {kind}, func of 10 ms, n = {n}: share of the bound", spread(of), "0.93", (
                statistics.median(of) >= 0.93
            )


def divide(nfev: int, n: int) -> tuple[int, int]:
    """Jacobians and trials of the fit of slow, which accepts every trial."""
    jacobians = (nfev - 1) // (n + 1)
    trials = nfev - 1 - n * jacobians
    assert trials in (jacobians, jacobians + 1)
    return jacobians, trials


M, N = 20_000, 100


def many_rows(m: int, n: int, seed: int = 0) -> tuple[Callable[[Any], Any], Callable[[Any], Any], Any]:
    """A nearly linear problem: residuals, Jacobian, start."""
    a = np.random.default_rng(seed).standard_normal((m, n))
    return lambda x: np.tanh(a @ x) - 0.1, lambda x: a / np.cosh(a @ x)[:, None] ** 2, np.full(n, 1e-3)


def two_fits() -> Iterator[Row]:
    """Two fits in two threads, against two processes started at the same moment."""
    residuals, jacobian, x0 = many_rows(M, N)

    def fit() -> None:
        leastsq(residuals, x0, Dfun=jacobian)

    fit()
    shares = []
    for _ in range(5):
        threads = [threading.Thread(target=fit) for _ in range(2)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        in_threads = time.perf_counter() - start
        shares.append(in_processes() / in_threads)
    yield f"two fits of {M} x {N} with Dfun: two processes' time / two threads'", spread(shares), "0.9", (
        statistics.median(shares) >= 0.9
    )


def in_processes() -> float:
    """Seconds from when two processes are ready until both have done the fit."""
    processes = [
        subprocess.Popen([sys.executable, __file__, "fit"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    seconds = time.perf_counter() - start
    for process in processes:
        process.communicate()
    return seconds


def fit_when_told() -> None:
    """The work of each of these processes."""
    residuals, jacobian, x0 = many_rows(M, N)
    leastsq(residuals, x0, Dfun=jacobian)
    print("ready", flush=True)
    sys.stdin.readline()
    leastsq(residuals, x0, Dfun=jacobian)
    print("done", flush=True)


def waits() -> Iterator[Row]:
    """The longest that another thread waits for its turn during a fit; each of its calls sleeps for 1 ms."""
    m, n = 60_000, 150
    residuals, jacobian, x0 = many_rows(m, n)
    longest, stop = [0.0], threading.Event()

    def tick() -> None:
        while not stop.is_set():
            start = time.perf_counter()
            time.sleep(1e-3)
            longest[0] = max(longest[0], time.perf_counter() - start)

    thread = threading.Thread(target=tick)
    thread.start()
    leastsq(residuals, x0, Dfun=jacobian)
    stop.set()
    thread.join()
    yield f"a fit of {m} x {n}: another thread's longest wait", f"{longest[0] * 1e3:.0f} ms", "at most 50", (
        longest[0] <= 0.05
    )


def main() -> int:
    rows: list[Row] = []
    for part in (callbacks, ask_and_tell, vectorized, workers, two_fits, waits):
        for row in part():
            print(*row, sep=" | ", flush=True)
            rows.append(row)
    PAGE.write_text(
        INTRODUCTION.format(processor=processor(), cores=len(os.sched_getaffinity(0)), numpy=np.__version__)
        + "".join(f"| {what} | {measured} | {bar} |\n" for what, measured, bar, _ in rows)
    )
    missed = [what for what, _, _, reached in rows if not reached]
    print(*[f"missed: {what}" for what in missed], sep="\n")
    return int(bool(missed))


if __name__ == "__main__":
    if sys.argv[1:] == ["fit"]:
        fit_when_told()
    else:
        sys.exit(main())
