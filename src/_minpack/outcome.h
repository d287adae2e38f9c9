/* What a fit came to, as Python objects. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "fit.h"
#include "masked.h"
#include "nonfinite.h"
#include "options.h"

/* How a fit went, besides its numbers. */
typedef struct {
    const Options *options;
    const Masked *masked;
    const NonFinite *nonfinite;
    int has_Dfun;           /* the Jacobian is the user's */
    int calls_at_x0;        /* the calls of func, or tells, that come before the first step is tried */
} Course;

/* A new tuple (x, ier, infodict, cov_x, mesg, reports), or NULL with an exception.
 * infodict is None without full_output, and in it what the fit does not have (NULL); cov_x is None where there is none, or
 * where nobody needs it; mesg where ier is 1 to 4 or STOPPED without full_output; reports is None, or a list of what
 * there is to warn of (reports.h).  GIL: held. */
PyObject *make_outcome(const Fit *fit, const Course *course, int full_output);

#endif
