"""`Evaluator`: the points of a Jacobian evaluated by workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Workers = int | Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]


def evaluator(workers: Workers | None, func: Callable[..., Any], args: tuple[Any, ...]) -> Evaluator | None:
    """What evaluates func by workers; None where this process shall do it, which 1 and None ask for."""
    if workers is None:
        return None
    if callable(workers):
        return Evaluator(func, args, map_=workers)
    try:
        count = index(workers)
    except TypeError:
        raise TypeError(
            f"leastsq: workers must be an integer or a map-like callable, not {type(workers).__name__}"
        ) from None
    if count == 1:
        return None
    if count < 1 and count != -1:
        raise ValueError(f"leastsq: workers is {count}; expected -1 for all cores, or at least 1")
    return Evaluator(func, args, count=_cores() if count == -1 else count)


class Evaluator:
    """Calls func at many points: by a map of the user's, or by processes of its own, which end with its context."""

    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        map_: Callable[..., Iterable[Any]] | None = None,
        count: int = 0,
    ) -> None:
        self._func, self._args, self._map, self._count = func, args, map_, count
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, points: Sequence[NDArray[np.float64]]) -> Iterable[Any]:
        """What func returns at each point, in their order."""
        if self._map is not None:
            return self._map(With(self._func, self._args) if self._args else self._func, points)
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor  # late, for the import of this package to be quick

            self._pool = ProcessPoolExecutor(
                min(self._count, len(points)), initializer=_begin, initargs=(self._func, self._args)
            )
        return self._pool.map(_evaluate, points)

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class With:
    """A function of x with the arguments that follow it; it can be pickled where they can."""

    def __init__(self, func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.func, self.args = func, args

    def __call__(self, x: NDArray[np.float64]) -> Any:
        return self.func(x, *self.args)


_task: Callable[[NDArray[np.float64]], Any]  # in a process of a pool: its function


def _begin(func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    # Where processes are forked, func comes along as it is; so a lambda will do.
    global _task
    _task = With(func, args)


def _evaluate(x: NDArray[np.float64]) -> Any:
    return _task(x)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
