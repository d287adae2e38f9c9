/* The attributes of an iteration, for leastsq's callback and for LevenbergMarquardt. */
#ifndef ITERATION_H
#define ITERATION_H

#include "fit.h"

/* The head of objects of both types. */
typedef struct {
    PyObject_HEAD
    const Fit *fit;             /* borrowed; only its options and has_jacobian are read */
    const MinpackState *lm;     /* borrowed: its state, or NULL if there is nothing to show */
    const double *trial_x;      /* n, borrowed: the last trial point, if lm->known says that there is one */
    const char *answered;       /* n, borrowed or NULL: which points of the differences have been told one by one */
    _Atomic int users;          /* number of readers of what lm points to, or CHANGED while it is changed */
} Iteration;

/* The attributes of both types, read-only; arrays are copies. */
extern PyGetSetDef iteration_getset[];

/* The repr of both types. */
PyObject *iteration_repr(PyObject *self);

typedef enum {
    READ,       /* shared with other readers */
    CHANGE,     /* exclusive */
    BEGIN       /* exclusive, and allowed before there is anything */
} IterationUse;

/* Begin to use an iteration. Returns 0, after which iteration_leave must be called, or -1 with a RuntimeError if another
 * use forbids it or there is nothing yet. */
int iteration_enter(Iteration *iteration, IterationUse use);
void iteration_leave(Iteration *iteration);

/* At how many points values are wanted; 0 at the end. */
int points_wanted(const MinpackState *lm, int has_jacobian);

/* "residuals", "differences", "jacobian", or NULL at the end. */
const char *iteration_request(const Iteration *iteration);

#endif
