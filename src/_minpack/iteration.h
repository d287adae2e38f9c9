/* What an iteration knows, by name: for the callback of leastsq and for LevenbergMarquardt. */
#ifndef ITERATION_H
#define ITERATION_H

#include "minpack.h"
#include "numpy_api.h"
#include "options.h"

/* How objects of both types begin. */
typedef struct {
    PyObject_HEAD
    const LmState *lm;          /* borrowed; NULL: there is nothing to see */
    const double *trial_x;      /* n, borrowed: the last trial point, where lm->known says that there is one */
    const Options *options;     /* borrowed */
    int jacobian;               /* the Jacobian is the user's */
    _Atomic int busy;           /* somebody changes what lm points to */
} Iteration;

/* The attributes of both types, read-only; arrays are copies. */
extern PyGetSetDef iteration_getset[];

/* The repr of both types. */
PyObject *iteration_repr(PyObject *self);

/* Begin to read or change an iteration. 0, or -1 with a RuntimeError if somebody else does or there is nothing;
 * iteration_leave is due after 0. */
int iteration_enter(Iteration *iteration);
void iteration_leave(Iteration *iteration);

/* "residuals", "differences", "jacobian", or NULL at the end. */
const char *iteration_request(const Iteration *iteration);

#endif
