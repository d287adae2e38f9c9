"""The long fuzz run: random cases until there are enough of them, or one on which our solver leaves the original.

    python tests/fuzz.py --cases 1000000

A case is a whole solve, or one call of a kernel routine; --what all runs as many of each. A run is a row of chunks,
seed, seed + 1, ...; a chunk is the same whenever and wherever it runs. The exit status is 1 if a case differed, which
is then shrunk and printed in a form to paste.

Hypothesis makes the cases from random bytes (`fuzz_one_input`), at half of its engine's cost.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from itertools import count
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.database import InMemoryExampleDatabase

import strategies
from cases import Batch, Case, Mismatch
from kernels import build

Tally = Counter[tuple[str, Any]]

BYTES = 1000  # more than a case is made of
SECONDS = 10  # between two lines of progress where they do not overwrite each other
STRATEGIES = {"solver": strategies.solves, "kernels": strategies.batches}
DRAWS = {"solver": 500, "kernels": 250}  # of a chunk


class Chunk(NamedTuple):
    """A fixed number of draws from a seed."""

    what: str
    seed: int

    def run(self) -> tuple[Tally, str | None]:
        """What the cases were; and the text of a mismatch, shrunk."""
        tally: Tally = Counter()

        @settings(database=InMemoryExampleDatabase(), deadline=None, phases=[Phase.reuse, Phase.shrink],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(STRATEGIES[self.what]())
        def test(case: Case | Batch) -> None:
            tally.update(case.check())
            tally["all", "draws"] += 1

        rng = random.Random(f"{self.what} {self.seed}")
        fuzz_one_input = test.hypothesis.fuzz_one_input
        with np.errstate(all="ignore"):
            try:
                while tally["all", "draws"] < DRAWS[self.what]:
                    fuzz_one_input(rng.randbytes(BYTES))
            except Mismatch as mismatch:
                return tally, f"chunk {self.seed} of {self.what}: {shrunk(test, mismatch)}"
        return tally, None


def shrunk(test: Any, mismatch: Mismatch) -> str:
    """The mismatch of the simplest case that Hypothesis finds from the one in its database."""
    try:
        test()
    except Mismatch as simplest:
        return str(simplest)
    return str(mismatch)


def cases(tally: Tally) -> int:
    """How many cases a tally is about."""
    return tally["values", "finite"] + tally["values", "NaN or inf"]


def fuzz(what: str, wanted: int, seed: int, processes: int) -> tuple[Tally, str | None]:
    """Run chunks until there are enough cases, with a line of progress."""
    tally: Tally = Counter()
    start = shown = time.monotonic()
    with get_context("spawn").Pool(processes) as pool:
        chunks = (Chunk(what, seed + i) for i in count())
        while cases(tally) < wanted:
            some = [next(chunks) for _ in range(4 * processes)]
            for result, mismatch in pool.imap_unordered(Chunk.run, some):
                tally += result
                now = time.monotonic()
                line = f"{what}: {cases(tally)} of {wanted} cases, {cases(tally) / (now - start):.0f}/s"
                if sys.stderr.isatty():
                    print(f"\r{line}", end="", file=sys.stderr, flush=True)
                elif now - shown > SECONDS:
                    print(line, file=sys.stderr, flush=True)
                    shown = now
                if mismatch is not None:
                    return tally, mismatch
                if cases(tally) >= wanted:
                    break
    return tally, None
