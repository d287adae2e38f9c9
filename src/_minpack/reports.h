/* What to warn about when a fit has ended. */
#ifndef REPORTS_H
#define REPORTS_H

#include "fit.h"

/* A list of tuples, each with its kind first, which pyminpack's _reports.py puts into words:
 *
 *   ("masked", ...)
 *       the first masked array that a function returned (masked.h);
 *   ("not finite", what, role, index, call)
 *       what, "fvec", "x" or "cov_x", is not finite; the first NaN or inf came from role "x0", "diag", "factor" (then call
 *       is 0), None, or as in nonfinite.h;
 *   ("zero columns", columns, steps, moved)
 *       info is 1 to 4 and everything is finite; these columns of the last Jacobian (0-based) are exactly zero, but the
 *       residuals are not; columns whose x[j] went from x0[j] to 0 or nearly are left out; steps: their difference steps,
 *       None for a user's Jacobian; moved: whether every such x[j] differs from x0[j];
 *   ("stuck", column, cosine, step, moved, has_jacobian, role, index, call)
 *       likewise; the cosine between the residuals and this column, the largest, is above 0.01, and the Gauss-Newton step,
 *       in units of ||D x||, is above 1e-6 if x is bit-identical to x0, above 1 if it has moved; and no tolerance, rounding
 *       or shrunk column explains it. role, index, call: of the first NaN or inf; role is None if there was none.
 *
 * None if there is nothing to warn about. cov_x may be None. Overwrites the fit's wa1 and wa2. A new reference, or NULL with
 * an exception. GIL: held. */
PyObject *make_reports(const Fit *fit, PyObject *cov_x);

#endif
