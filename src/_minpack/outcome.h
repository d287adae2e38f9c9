/* The result of a fit as Python objects. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "fit.h"

/* info of a fit that was stopped before MINPACK ended it. */
enum { STOPPED = -2 };

/* leastsq's mesg for MINPACK's info, or for STOPPED (by a callback, or because not everything was told). A new reference,
 * or NULL with an exception. */
PyObject *mesg_of(const Options *options, int info);

/* A new tuple (x, ier, infodict, cov_x, mesg, reports), or NULL with an exception. Without full_output, infodict is None,
 * and so is mesg if ier is 1 to 4 or STOPPED. In infodict, what the fit does not have (NULL) is None. cov_x is None if
 * there is none, or nobody needs it. reports is None, or a list of what to warn about (reports.h). GIL: held. */
PyObject *make_outcome(const Fit *fit, int full_output);

#endif
