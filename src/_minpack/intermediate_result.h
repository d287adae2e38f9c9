/* What leastsq's callback is called with. */
#ifndef INTERMEDIATE_RESULT_H
#define INTERMEDIATE_RESULT_H

#include "callback.h"
#include "iteration.h"

extern PyType_Spec intermediate_result_spec;

/* How a fit shows itself to the callback. */
typedef struct {
    PyTypeObject *type;         /* borrowed: IntermediateResult */
    const Options *options;     /* borrowed */
    int jacobian;               /* the Jacobian is the user's */
    PyObject *result;           /* owned or NULL: the object last shown, which nobody else holds */
    PyObject *names;            /* owned or NULL: ("intermediate_result",) */
} Shown;

void shown_clear(Shown *shown);

/* The solver's call after a trial (minpack.h): calls callback(intermediate_result=...). context is a Callback, its
 * `shown` a Shown. 0; STOPPED if callback raised StopIteration; or -1 with an exception.  The GIL is taken if it was
 * given away. */
int show_trial(void *context, const LmState *lm);

#endif
