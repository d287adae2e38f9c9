/* What a fit came to, as Python objects. */
#include "outcome.h"

#include <string.h>

#include "reports.h"

/* (R'R)^-1 in the order of x. A new array of shape (n, n), None if R has a zero on its diagonal, or NULL with an
 * exception. */
static PyObject *
covariance(const LmState *lm)
{
    const int n = lm->n;
    PyObject *cov_x = NULL;     /* owned, returned */
    npy_intp shape[2] = {n, n};
    double *r;
    int j, rank;

    cov_x = PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    if (cov_x == NULL)
        return NULL;
    r = PyArray_DATA((PyArrayObject *)cov_x);
    for (j = 0; j < n; j++)
        memcpy(r + (size_t)j * n, lm->fjac + (size_t)j * lm->ldfjac, (size_t)(j + 1) * sizeof(double));
    minpack_covar(n, r, n, lm->ipvt, 0.0, &rank, lm->wa1);
    if (rank < n)
        Py_SETREF(cov_x, Py_NewRef(Py_None));
    return cov_x;
}

/* Something of a fit, borrowed; None where the fit does not have it. */
static PyObject *
or_None(PyArrayObject *array)
{
    return array == NULL ? Py_None : (PyObject *)array;
}

/* The infodict of leastsq, keys in SciPy's order. A new reference, or NULL with an exception. */
static PyObject *
make_infodict(const Fit *fit, const Course *course)
{
    PyObject *fvec = or_None(fit->fvec), *fjac = or_None(fit->fjac), *ipvt = or_None(fit->ipvt);
    PyObject *qtf = or_None(fit->qtf);

    if (course->has_Dfun)
        return Py_BuildValue("{s:O,s:i,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", fit->lm.nfev, "njev", fit->lm.njev,
                             "fjac", fjac, "ipvt", ipvt, "qtf", qtf);
    return Py_BuildValue("{s:O,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", fit->lm.nfev, "fjac", fjac, "ipvt", ipvt, "qtf",
                         qtf);
}

/* What there is to warn of. A new reference, or NULL with an exception. */
static PyObject *
reports_of(const Fit *fit, const Course *course, PyObject *cov_x)
{
    const LmState *lm = &fit->lm;
    const Finished finished = {
        .m = lm->m, .n = lm->n, .info = lm->info, .has_Dfun = course->has_Dfun, .calls_at_x0 = course->calls_at_x0,
        .epsfcn = lm->epsfcn, .typical_x = lm->typical_x, .ftol = lm->ftol, .xtol = lm->xtol, .gtol = lm->gtol,
        .factor = lm->factor, .has_diag = course->options->diag != NULL, .nonfinite = course->nonfinite,
        .x0 = fit->x0, .x = lm->x, .fvec = lm->fvec, .fjac = lm->fjac, .ipvt = lm->ipvt, .qtf = lm->qtf,
        .diag = lm->diag, .wa1 = lm->wa1, .wa2 = lm->wa2,
    };

    if (lm->info == STOPPED)
        Py_RETURN_NONE;
    return make_reports(course->masked, &finished, cov_x);
}

/* Whether R, of the last Jacobian, has a NaN or inf; then so has cov_x. */
static int
r_is_nonfinite(const LmState *lm)
{
    int j;

    for (j = 0; j < lm->n; j++)
        if (first_nonfinite(lm->fjac + (size_t)j * lm->ldfjac, j + 1) >= 0)
            return 1;
    return 0;
}

PyObject *
make_outcome(const Fit *fit, const Course *course, int full_output)
{
    const LmState *lm = &fit->lm;
    const int success = lm->info >= MINPACK_FTOL && lm->info <= MINPACK_GTOL;
    PyObject *cov_x = NULL;         /* owned */
    PyObject *infodict = NULL;      /* owned */
    PyObject *mesg = NULL;          /* owned */
    PyObject *reports = NULL;       /* owned */
    PyObject *outcome = NULL;       /* owned, returned */

    /* A NaN in the Jacobian, or a quotient that overflowed, may show in cov_x alone, so that the warning needs it. */
    if (success && (full_output || course->nonfinite->call != 0 || r_is_nonfinite(lm)))
        cov_x = covariance(lm);
    else
        cov_x = Py_NewRef(Py_None);
    infodict = full_output ? make_infodict(fit, course) : Py_NewRef(Py_None);
    if (lm->info == MINPACK_IMPROPER_INPUT && !full_output)
        mesg = options_improper(course->options, lm->n);
    else if (full_output || !(success || lm->info == STOPPED))
        mesg = options_mesg(course->options, lm->info);
    else
        mesg = Py_NewRef(Py_None);
    if (cov_x == NULL || infodict == NULL || mesg == NULL)
        goto done;
    reports = reports_of(fit, course, cov_x);
    if (reports != NULL)
        outcome = Py_BuildValue("(OiOOOO)", fit->x, lm->info, infodict, cov_x, mesg, reports);
done:
    Py_XDECREF(cov_x);
    Py_XDECREF(infodict);
    Py_XDECREF(mesg);
    Py_XDECREF(reports);
    return outcome;
}
