/* One least-squares solve, from parsed arguments to Python results. */
#ifndef SOLVE_H
#define SOLVE_H

#include "numpy_api.h"

/* The arguments of one solve; every reference is borrowed from the caller. */
typedef struct {
    PyObject *func;
    PyObject *Dfun;         /* NULL: forward differences */
    PyObject *x0;
    PyObject *args;         /* a tuple */
    PyObject *diag;         /* None: found by the solver */
    int full_output;
    int col_deriv;
    int maxfev;
    int has_epsfcn;         /* 0: from the type of the first residuals */
    double ftol;
    double xtol;
    double gtol;
    double epsfcn;
    double factor;
} Problem;

/* Run MINPACK. Returns a new tuple (x, info, infodict, cov_x, reports), or NULL with an exception.
 * infodict is None without full_output; cov_x where there is none, or where nobody needs it;
 * reports is None, or a list of what there is to warn of (reports.h).  GIL: held. */
PyObject *solve(const Problem *problem);

#endif
