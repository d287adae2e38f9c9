"""What test_memory.py runs in a process of its own; both print JSON.

starve_and_repeat.py starve PATH     [outcome, leaks, same afterwards] of a path as its k-th allocation fails,
                                         k = 1, 2, ... until none does; twice, the second time with all after it
starve_and_repeat.py repeat PATH N   what grew in the least of ROUNDS rounds of N calls: {"bytes": ..., "blocks": ...,
                                         "references": ...}; bytes: in all of them
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from typing import Any

import numpy as np

from problems.memory_paths import PATHS

BATCH, BATCHES = 10, 200  # a leak lasts; what caches take at first does not
ROUNDS = 20  # likewise


def starve(path: Any) -> list[Any]:
    import failing_allocator

    def outcome(failing: int, lasting: bool) -> Any:
        """What a call returns or raises, with the allocation number `failing` refused (0: none)."""
        try:
            return frozen(failing_allocator.call(failing, lasting, path))
        except BaseException as error:
            return frozen(error)

    def alive() -> int:
        gc.collect()
        return failing_allocator.blocks_alive()

    def leaks(failing: int, lasting: bool) -> bool:
        """Whether every batch of calls leaves a block for each call; caches grow, but not for ever."""
        for _ in range(BATCHES):
            before = alive()
            for _ in range(BATCH):
                outcome(failing, lasting)
            if alive() - before < BATCH:
                return False
        return True

    def row(failing: int, lasting: bool) -> list[Any]:
        starved = outcome(failing, lasting)
        refused = failing_allocator.refusals()
        name = "MemoryError" if is_memory_error(starved) else "as ever" if starved == usual else repr(starved)
        return [refused, [name, leaks(failing, lasting), outcome(0, False) == usual]]

    for _ in range(BATCH):
        usual = outcome(0, False)
    gc.collect()
    gc.freeze()
    return [rows_until_none_fails(row, lasting) for lasting in (False, True)]


def rows_until_none_fails(row: Any, lasting: bool) -> list[Any]:
    rows = []
    refused = 1
    while refused:
        refused, entry = row(len(rows) + 1, lasting)
        rows.append(entry)
    return rows


def frozen(value: Any) -> Any:
    """Something whose == sees types, shapes and bits, and of an exception its text and its cause."""
    match value:
        case np.ndarray():
            return value.dtype.str, value.shape, value.tobytes()
        case dict():
            return [(key, frozen(entry)) for key, entry in value.items()]
        case tuple():
            return [frozen(entry) for entry in value]
        case BaseException():
            return type(value), str(value), frozen(value.__cause__)
        case _:
            return type(value), repr(value)


def is_memory_error(outcome: Any) -> bool:
    return isinstance(outcome, tuple) and isinstance(outcome[0], type) and issubclass(outcome[0], MemoryError)


def repeat(path: Any, times: int) -> dict[str, int]:
    objects = [None, np.dtype(float), np.float64, *path.args, *path.keywords.values()]
    objects += [entry for value in objects if isinstance(value, tuple) for entry in value]
    call(path, times)
    first = before = measure(objects)
    least = [sys.maxsize] * len(before)
    for _ in range(ROUNDS):
        call(path, times)
        after = measure(objects)
        least = [min(new - old, few, key=abs) for old, new, few in zip(before, after, least, strict=True)]
        before = after
    return {"bytes": before[0] - first[0], "blocks": least[1], "references": max(least[2:], key=abs)}


def call(path: Any, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(AttributeError, TypeError, ValueError, FloatingPointError):
            path()


def measure(objects: list[Any]) -> list[int]:
    """Resident bytes, CPython's blocks, and the references to each object."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return [resident, sys.getallocatedblocks(), *map(sys.getrefcount, objects)]


if __name__ == "__main__":
    what, name, *numbers = sys.argv[1:]
    print(json.dumps(globals()[what](PATHS[name], *map(int, numbers))))
