"""Page faults of a fit, from the second on, in a process that has imported NumPy and pyminpack only.

usage: python page_faults.py FIT M N THREADS

Prints the mean over fits, the most of all threads.
"""

import resource
import sys
import threading

import numpy as np

from pyminpack import LevenbergMarquardt, curve_fit, leastsq

FITS = 40  # in a thread the second fit may find another place, once


def fit_of(name, m, n):
    """A fit of a polynomial, or one iteration."""
    basis = np.vander(np.linspace(0, 1, m), n, increasing=True)
    y, x0 = np.cos(7 * np.arange(m)), np.ones(n)

    def residuals(p):
        return basis @ p - y

    def told():
        fit = LevenbergMarquardt(x0)
        while not fit.done:
            fit.tell(np.array([residuals(x) for x in fit.ask()]))

    return {
        "differences": lambda: leastsq(residuals, x0, full_output=True),
        "Dfun": lambda: leastsq(residuals, x0, Dfun=lambda p: np.array(basis)),
        "one iteration": lambda: leastsq(lambda p: y, x0, Dfun=lambda p: basis, gtol=1.0),
        "original": lambda: leastsq(residuals, x0, solver="original"),
        "told": told,
        "curve_fit": lambda: curve_fit(lambda t, *p: basis @ p, np.arange(m), y, x0),
    }[name]


def faults(fit):
    """A fit's, in this thread."""
    fit()
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(FITS):
        fit()
    return (resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before) / FITS


def main():
    name, (m, n, count) = sys.argv[1], map(int, sys.argv[2:])
    fit, found = fit_of(name, m, n), []
    if count == 1:
        print(faults(fit))
        return
    started = [threading.Thread(target=lambda: found.append(faults(fit))) for _ in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    print(max(found))


if __name__ == "__main__":
    main()
