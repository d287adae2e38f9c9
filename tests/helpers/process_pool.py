"""A pool of processes that cannot hang at its end."""

from __future__ import annotations

from multiprocessing.pool import Pool


class ProcessPool(Pool):
    """multiprocessing.Pool, whose processes end by themselves.

    Its own __exit__ kills them: if one holds the lock of the results just then, it waits for that lock for ever.
    """

    def __exit__(self, *error: object) -> None:
        self.close()
        self.join()
