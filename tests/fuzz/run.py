"""The long fuzz run: random cases until there are enough of them, or one on which our solver leaves the original.

    ./dev fuzz --cases 1000000

A case is a whole solve, or one call of a kernel routine; --what all runs as many of each. The exit status is 1 if a
case differed; the first one found is shrunk and printed in a form to paste. A run consists of chunks with the seeds
SEED, SEED + 1, ..., each the same whenever and wherever it runs.

Hypothesis makes the cases from random bytes (`fuzz_one_input`), which costs half of what its engine does.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.database import InMemoryExampleDatabase

from fuzz import strategies
from fuzz.cases import MEMBERS, Batch, Case, Mismatch
from helpers.build import build

Tally = Counter[tuple[str, Any]]

DRAWS = 500  # of a chunk
BYTES = 1000  # more than one draw takes
SECONDS = 30  # between two lines of progress, if they do not overwrite each other
STRATEGIES = {"solver": strategies.solves, "kernels": strategies.batches}
CASES = {"solver": DRAWS, "kernels": DRAWS * MEMBERS}  # of a chunk


@dataclass(frozen=True)
class Chunk:
    """DRAWS draws from a seed."""

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
            tally["draws", self.what] += 1

        rng = random.Random(f"{self.what} {self.seed}")
        fuzz_one_input = test.hypothesis.fuzz_one_input
        with np.errstate(all="ignore"):
            try:
                while tally["draws", self.what] < DRAWS:
                    fuzz_one_input(rng.randbytes(BYTES))
            except Mismatch as mismatch:
                return tally.copy(), f"--what {self.what} --seed {self.seed} --cases 1: {shrunk(test, mismatch)}"
        return tally, None


def shrunk(test: Any, mismatch: Mismatch) -> str:
    """The mismatch of the simplest case that Hypothesis finds from the one in its database."""
    try:
        test()
    except Mismatch as simplest:
        return str(simplest)
    return str(mismatch)


class Progress:
    """A line that says how far a run is."""

    def __init__(self, what: str, wanted: int) -> None:
        self.what, self.wanted = what, wanted
        self.start = self.shown = time.monotonic()

    def show(self, done: int, *, last: bool = False) -> None:
        now = time.monotonic()
        line = f"{self.what}: {done} of {self.wanted} cases, {done / (now - self.start):.0f} per second"
        if sys.stderr.isatty():
            print(f"\r{line}", end="\n" if last else "", file=sys.stderr, flush=True)
        elif last or now - self.shown > SECONDS:
            print(line, file=sys.stderr, flush=True)
            self.shown = now


def fuzz(what: str, wanted: int, seed: int, processes: int) -> tuple[Tally, str | None]:
    """Run at least the wanted number of cases, as far as the first mismatch. A process that dies is an error."""
    chunks = [Chunk(what, seed + i) for i in range(-(-wanted // CASES[what]))]
    tally: Tally = Counter()
    progress = Progress(what, len(chunks) * CASES[what])
    mismatch = None
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done, future in enumerate(as_completed([pool.submit(chunk.run) for chunk in chunks]), 1):
            result, mismatch = future.result()
            tally += result
            progress.show(done * CASES[what], last=done == len(chunks))
            if mismatch is not None:
                pool.shutdown(cancel_futures=True)
                break
    return tally, mismatch


def summary(tally: Tally) -> str:
    """A line of counts for each kind of label."""
    lines = []
    for kind in dict.fromkeys(kind for kind, _ in tally):
        counts = {label: number for (other, label), number in tally.items() if other == kind}
        lines.append(f"  {kind}: " + ", ".join(f"{label} {counts[label]}" for label in sorted(counts)))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random cases against libminpack.so.1, bit for bit.")
    parser.add_argument("--cases", type=int, default=100_000, help="of each kind, rounded up (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first chunk (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--what", choices=[*STRATEGIES, "all"], default="all", help="(default: %(default)s)")
    options = parser.parse_args()

    build()
    for what in STRATEGIES if options.what == "all" else [options.what]:
        tally, mismatch = fuzz(what, options.cases, options.seed, options.processes)
        print(summary(tally))
        if mismatch is not None:
            print(f"MISMATCH, again by {mismatch}")
            return 1
        print(f"{what}: all equal to the bit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
