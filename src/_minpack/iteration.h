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
    _Atomic int users;          /* how many read what lm points to, or CHANGED: one changes it */
} Iteration;

/* The attributes of both types, read-only; arrays are copies. */
extern PyGetSetDef iteration_getset[];

/* The repr of both types. */
PyObject *iteration_repr(PyObject *self);

typedef enum {
    READ,       /* as others may at the same time */
    CHANGE,     /* as nobody else may, nor read it */
    BEGIN       /* likewise, also where there is nothing yet */
} IterationUse;

/* Begin to use an iteration. 0, or -1 with a RuntimeError if what somebody else does forbids it, or there is nothing;
 * iteration_leave is due after 0. */
int iteration_enter(Iteration *iteration, IterationUse use);
void iteration_leave(Iteration *iteration);

/* "residuals", "differences", "jacobian", or NULL at the end. */
const char *iteration_request(const Iteration *iteration);

#endif
