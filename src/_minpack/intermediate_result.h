/* The argument of leastsq's callback. */
#ifndef INTERMEDIATE_RESULT_H
#define INTERMEDIATE_RESULT_H

#include "iteration.h"

extern PyType_Spec intermediate_result_spec;

/* How a fit is shown to the callback. */
typedef struct {
    PyTypeObject *type;         /* borrowed: IntermediateResult */
    PyObject *result;           /* owned or NULL: the object last shown, held by nobody else */
    PyObject *names;            /* owned or NULL: ("intermediate_result",) */
} Shown;

void shown_clear(Shown *shown);

/* The solver's callback after a trial (minpack.h): calls callback(intermediate_result=...). context is a PythonFunctions.
 * Returns 0, STOPPED if callback raised StopIteration, or -1 with an exception. Reacquires the GIL if it was released. */
int show_trial(void *context, const MinpackState *lm);

#endif
