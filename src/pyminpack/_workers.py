"""`evaluator`: call func at the points of a Jacobian as `workers` says, by the user's map or in processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import index
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Workers = int | Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]

_RECIPES = {
    "dask": "workers=lambda f, points: client.gather(client.map(f, points))",
    "distributed": "workers=lambda f, points: client.gather(client.map(f, points))",
    "joblib": "workers=lambda f, points: Parallel(n_jobs=2)(delayed(f)(point) for point in points)",
}


class Evaluator(Protocol):
    """Calls func at points; as a context manager, ends what it has started."""

    def __call__(self, points: Sequence[NDArray[np.float64]]) -> tuple[list[Any], bool]:
        """The residuals at each point, in order; and whether func returned them."""
        ...

    def __enter__(self) -> object: ...

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


def evaluator(
    workers: Workers | None,
    func: Callable[..., Any],
    args: tuple[Any, ...],
    caller: str,
    role: str,
) -> Evaluator | None:
    """The evaluator for workers; None to evaluate func in this process, for workers of 1 and None.

    Error messages begin with the caller, and refer to func by its role.
    """
    if workers is None:
        return None
    if callable(workers):
        return _Mapped(workers, Task(func, args, caller, role))
    try:
        count = index(workers)
    except TypeError:
        raise TypeError(
            f"{caller}: workers must be an integer or a map-like callable, not {type(workers).__name__};"
            f" {_recipe(workers)}"
        ) from None
    if count == 1:
        return None
    if count < 1 and count != -1:
        raise ValueError(f"{caller}: workers is {count}; expected -1 for all cores, or at least 1")
    from pyminpack._processes import Processes  # here, to keep our import fast

    return Processes(func, args, _cores() if count == -1 else count, caller, role)


class _Mapped:
    """Calls func by the user's map, in any order."""

    def __init__(self, map_: Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]], task: Task) -> None:
        self._map, self._task = map_, task

    def __call__(self, points: Sequence[NDArray[np.float64]]) -> tuple[list[Any], bool]:
        places: dict[bytes, list[int]] = {}  # of each point; two may be equal
        for place, point in enumerate(points):
            places.setdefault(_key(point), []).append(place)
        count = len(points)  # before the map, which may remove points
        answers = list(islice(self._results(points), count + 1))
        by_func = all(isinstance(answer, Answer) for answer in answers)
        if len(answers) != count:
            return answers, by_func  # the caller rejects them

        values: dict[int, Any] = {}
        for i, answer in enumerate(answers):
            if isinstance(answer, Answer):
                place, value = self._place(answer, places), answer._value
            elif _is_opaque(answer):
                raise TypeError(
                    f"{self._task.caller}: workers returned {_kind(answer)} for point {i}; expected what"
                    f" {self._task.role} returns there; {_recipe(answer)}"
                )
            else:
                place, value = i, answer  # of a map that did not call the function it was given
            if place in values:
                raise self._twice()
            values[place] = value
        return [values[place] for place in range(count)], by_func

    def _place(self, answer: Answer, places: dict[bytes, list[int]]) -> int:
        """Remove the place of an answer's point from the places, and return it."""
        if answer._key not in places:
            point = np.frombuffer(answer._key).tolist()
            raise ValueError(
                f"{self._task.caller}: workers called {self._task.role} at {point}; expected one of the points given,"
                " unchanged"
            )
        if not places[answer._key]:
            raise self._twice()
        return places[answer._key].pop(0)

    def _twice(self) -> ValueError:
        return ValueError(f"{self._task.caller}: workers returned two results for one point, and none for another")

    def _results(self, points: Sequence[NDArray[np.float64]]) -> Iterable[Any]:
        try:
            results = self._map(self._task, points)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from within the map
            raise TypeError(
                f"{self._task.caller}: workers cannot be called as workers({self._task.role}, points): {error};"
                f" {_recipe(self._map)}"
            ) from error
        try:
            return iter(results)
        except TypeError:
            raise TypeError(
                f"{self._task.caller}: workers returned {_kind(results)}; expected the results of {self._task.role},"
                f" in a list or another iterable; {_recipe(results)}"
            ) from None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


class Task:
    """The function that a map gets: func with args, whose answers know their point. It can be pickled if func can."""

    def __init__(self, func: Callable[..., Any], args: tuple[Any, ...], caller: str, role: str) -> None:
        self.func, self.args, self.caller, self.role = func, args, caller, role
        self._home = os.getpid()
        self.__name__ = getattr(func, "__name__", type(func).__name__)

    def __call__(self, x: Any, *more: Any) -> Answer:
        if more:
            raise TypeError(
                f"{self.caller}: workers called {self.role} with {1 + len(more)} arguments; expected a point alone"
            )
        key = _key(x)  # before func, which may change x
        try:
            return Answer(key, self.func(x, *self.args))
        except Exception as error:
            if os.getpid() == self._home:
                raise
            from pyminpack._processes import sendable

            substitute = sendable(error)[1]
            if substitute is None:
                raise
            raise substitute from error


class Answer(NDArrayOperatorsMixin):
    """What func returned at a point; to a map that inspects it, it behaves like func's own result."""

    def __init__(self, key: bytes, value: Any) -> None:
        self._key, self._value = key, value

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.array(self._value, dtype) if copy else np.asarray(self._value, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*(x._value if isinstance(x, Answer) else x for x in inputs), **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._value, name)

    def __getitem__(self, item: Any) -> Any:
        return self._value[item]

    def __len__(self) -> int:
        return len(self._value)


def _key(point: Any) -> bytes:
    """The bytes of a point, -0.0 as 0.0."""
    return (np.asarray(point, np.float64) + 0.0).tobytes()


def _is_opaque(answer: Any) -> bool:
    """Whether NumPy finds no numbers in an answer, such as None, a future or a coroutine."""
    if isinstance(answer, np.ndarray) or hasattr(type(answer), "__float__"):
        return False
    try:
        array = np.asarray(answer)
    except Exception:
        return False  # the caller rejects it
    return array.ndim == 0 and array.dtype == object


def _kind(given: Any) -> str:
    name = type(given).__name__
    return "None" if given is None else f"a{'n' if name[0] in 'AEIOU' else ''} {name}"


def _recipe(given: Any) -> str:
    """What to use instead, by the package of what was given."""
    owner = getattr(given, "__self__", given)  # of a method
    package = type(owner).__module__.partition(".")[0]
    return "use " + _RECIPES.get(package, "the map of a pool, such as workers=pool.map")


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
