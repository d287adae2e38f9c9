"""Contestants take turns, so that other load on the machine affects all alike."""

from __future__ import annotations

import math
from collections.abc import Callable

TURN = 1e-3  # least seconds per turn
TURNS = 7, 199  # at least and at most


def interleave(contestants: dict[str, Callable[[int], float]], budget: float) -> dict[str, list[float]]:
    """Seconds per run, turn by turn, for each contestant: a function that does that many runs and returns their time.

    Every second round goes backwards. `budget`: the total seconds for all turns.
    """
    for turn in contestants.values():
        turn(1)
    once = {name: turn(1) for name, turn in contestants.items()}
    runs = math.ceil(TURN / max(min(once.values()), 1e-7))
    least, most = TURNS
    turns = max(least, min(most, int(budget / (runs * sum(once.values())))))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(turns):
        for name in order:
            times[name].append(contestants[name](runs) / runs)
        order.reverse()
    return times
