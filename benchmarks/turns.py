"""How often what is run, and in which order."""

from typing import Any

import pytest

TURNS = 5


def turns(cases: list[Any], contestants: list[str]) -> list[Any]:
    """Parameters case, contestant, turn: contestants alternate, so that other load falls on all alike."""
    return [pytest.param(case, contestant, turn, id=f"{number}-{contestant}-{turn}")
            for number, case in enumerate(cases) for turn in range(TURNS) for contestant in contestants]  # fmt: skip


def runs(m: int, n: int) -> int:
    """Runs in a turn, by the size of the problem."""
    return max(3, min(200, int(1e8 / (m * n * n + 5e5))))
