"""A fit with workers=2, by a start method of multiprocessing: its result, or processes for a test to watch.

    python fit_by_workers.py METHOD same       ends with 0 if the bits are those of a fit without workers
    python fit_by_workers.py METHOD raises     prints the error of a func whose exception cannot be unpickled
    python fit_by_workers.py METHOD lambda     prints the error of a lambda, where it is one
    python fit_by_workers.py METHOD wait       func never returns; a line for each process, and one when func cleans up
    python fit_by_workers.py METHOD stubborn   likewise, and func catches every exception
    python fit_by_workers.py METHOD daemon     a fit in a daemon thread, whose func never returns, until stdin ends
"""

import multiprocessing
import os
import sys
import threading
import time

import numpy as np

from pyminpack import leastsq

T = np.linspace(0, 1, 7)
X0 = np.ones(3)


class Diverged(Exception):
    """Cannot be unpickled."""

    def __init__(self, text, step):
        super().__init__(f"{text} at step {step}")


def decay(p, shift=0.0):
    return p[0] * np.exp(-p[1] * T) - p[2] - T - shift


def in_a_worker():
    return multiprocessing.parent_process() is not None


def diverges(p):
    if in_a_worker():
        raise Diverged("integration diverged", 7)
    return decay(p)


def waits(p):
    if in_a_worker():
        try:
            print("started\n", end="", flush=True)
            time.sleep(1000)
        finally:
            print("cleaned\n", end="", flush=True)
    return decay(p)


def is_stubborn(p):
    if in_a_worker():
        line = "started\n"
        while True:
            try:
                print(line, end="", flush=True)
                line = ""
                time.sleep(1000)
            except BaseException:
                pass
    return decay(p)


def main(method, case):
    multiprocessing.set_start_method(method)
    if case == "same":
        for args in ((), (0.5,)):
            fits = [leastsq(decay, X0, args=args, full_output=True, workers=workers) for workers in (1, 2)]
            assert fits[0][0].tobytes() == fits[1][0].tobytes()
            assert fits[0][2]["nfev"] == fits[1][2]["nfev"]
        assert multiprocessing.active_children() == []
    elif case in ("raises", "lambda"):
        try:
            leastsq(diverges if case == "raises" else lambda p: decay(p), X0, workers=2)
        except (RuntimeError, TypeError) as error:
            print(error)
    elif case == "daemon":
        threading.Thread(target=leastsq, args=(waits, X0), kwargs={"workers": 2}, daemon=True).start()
        os.read(0, 1)  # without a lock, unlike sys.stdin
    else:
        leastsq({"wait": waits, "stubborn": is_stubborn}[case], X0, workers=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
