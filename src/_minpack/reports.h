/* What there is to say of a fit besides its numbers. */
#ifndef REPORTS_H
#define REPORTS_H

#include "doubt.h"
#include "masked.h"
#include "numpy_api.h"

/* A list of tuples, each with its kind first, for pyminpack's _reports.py to put in words:
 *
 *   ("masked", role, count, size, index, call)     the first masked array that a function returned (masked.h)
 *   ("not finite", what, role, index, call)        what: "fvec", "x" or "cov_x" is not finite; where the first NaN or inf
 *                                                  came from: role "x0", "diag", "factor" (then call is 0),
 *                                                  "func", "Dfun", "tell", or None
 *   ("zero columns", ...), ("stuck", ...)          a success to be doubted (doubt.h), if all is finite
 *
 * None if there is nothing to say. cov_x may be None. A new reference, or NULL with an exception.  GIL: held. */
PyObject *make_reports(const Masked *masked, const Finished *fit, PyObject *cov_x);

#endif
