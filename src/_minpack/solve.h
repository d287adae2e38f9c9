/* leastsq: one solve, from the user's arguments to Python results. */
#ifndef SOLVE_H
#define SOLVE_H

#include "numpy_api.h"
#include "options.h"
#include "python_functions.h"

/* The arguments of one solve; every reference is borrowed from the caller. */
typedef struct {
    Names names;
    Given functions;
    PyObject *x0;
    int full_output;
    GivenOptions options;
    PyTypeObject *intermediate_result;  /* the type */
} Problem;

/* Run MINPACK. Returns make_outcome's tuple (outcome.h), or NULL with an exception.  GIL: held. */
PyObject *solve(const Problem *problem);

#endif
