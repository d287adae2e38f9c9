"""Fixtures that time contestants and keep the results, and the file for those."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from turns import interleave

BUDGET, QUICK = 1.0, 0.2  # seconds per row
FOUND = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser):
    parser.addoption("--times", help="write the times to this file, as JSON")
    parser.addoption("--quick", action="store_true", help="a fifth of the turns")


def pytest_configure(config):
    config.stash[FOUND] = {"processor": processor(), "numpy": np.__version__, "rows": []}


def pytest_sessionfinish(session):
    if path := session.config.getoption("--times"):
        with open(path, "w") as file:
            json.dump(session.config.stash[FOUND], file, indent=1)


def processor() -> str:
    """The processor's name, if Linux knows it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(": ")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


@pytest.fixture
def keep(request) -> Callable[..., None]:
    """Keep facts for the report."""
    return request.config.stash[FOUND].update


@pytest.fixture
def measure(request) -> Callable[..., None]:
    """Time contestants in turns, and keep their times with the facts of the row."""
    config = request.config

    def run(contestants: dict[str, Callable[[int], float]], share: float = 1.0, **row: Any) -> None:
        budget = share * (QUICK if config.getoption("--quick") else BUDGET)
        config.stash[FOUND]["rows"].append({**row, "times": interleave(contestants, budget)})

    return run
