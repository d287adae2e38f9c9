/* leastsq: one solve, from the user's arguments to Python results. */
#ifndef SOLVE_H
#define SOLVE_H

#include "numpy_api.h"
#include "options.h"

/* The arguments of one solve; every reference is borrowed from the caller. */
typedef struct {
    PyObject *func;
    PyObject *Dfun;         /* NULL: forward differences */
    PyObject *x0;
    PyObject *args;         /* a tuple */
    int full_output;
    int col_deriv;
    RawOptions options;
} Problem;

/* Run MINPACK. Returns a new tuple (x, ier, infodict, cov_x, mesg, reports), or NULL with an exception.
 * infodict is None without full_output; cov_x where there is none, or where nobody needs it; mesg where ier is 1 to 4
 * without full_output; reports is None, or a list of what there is to warn of (reports.h).  GIL: held. */
PyObject *solve(const Problem *problem);

#endif
