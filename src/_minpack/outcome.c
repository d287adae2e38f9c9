/* The result of a fit as Python objects. */
#include "outcome.h"

#include <string.h>

#include "reports.h"

/* MINPACK's reasons to stop, in the words that programs written for SciPy compare with, and the values they contain. */
static const struct {
    const char *text;
    const char *values;         /* f, x, g: ftol, xtol, gtol; m: maxfev */
} reasons[] = {
    {"Improper input parameters.", ""},
    {"Both actual and predicted relative reductions in the sum of squares\n  are at most %f", "f"},
    {"The relative error between two consecutive iterates is at most %f", "x"},
    {"Both actual and predicted relative reductions in the sum of squares\n  are at most %f and the relative error"
     " between two consecutive iterates is at \n  most %f", "fx"},
    {"The cosine of the angle between func(x) and any column of the\n  Jacobian is at most %f in absolute value", "g"},
    {"Number of calls to function has reached maxfev = %d.", "m"},
    {"ftol=%f is too small, no further reduction in the sum of squares\n  is possible.", "f"},
    {"xtol=%f is too small, no further improvement in the approximate\n  solution is possible.", "x"},
    {"gtol=%f is too small, func(x) is orthogonal to the columns of\n  the Jacobian to machine precision.", "g"},
};

PyObject *
mesg_of(const Options *options, int info)
{
    PyObject *text = NULL;      /* owned */
    PyObject *values = NULL;    /* owned */
    PyObject *value = NULL;     /* owned */
    PyObject *mesg = NULL;      /* owned, returned */
    const char *kinds;
    Py_ssize_t i, count;

    if (info == STOPPED)
        return PyUnicode_FromString("The fit was stopped before its end; this is the best point so far.");
    kinds = reasons[info].values;
    count = (Py_ssize_t)strlen(kinds);
    text = PyUnicode_FromString(reasons[info].text);
    values = PyTuple_New(count);
    if (text == NULL || values == NULL)
        goto done;
    for (i = 0; i < count; i++) {
        if (kinds[i] == 'm')
            value = PyLong_FromLong(options->maxfev);
        else
            value = PyFloat_FromDouble(kinds[i] == 'f' ? options->ftol
                                       : kinds[i] == 'x' ? options->xtol : options->gtol);
        if (value == NULL)
            goto done;
        PyTuple_SET_ITEM(values, i, value);     /* steals value */
    }
    mesg = PyUnicode_Format(text, values);
done:
    Py_XDECREF(text);
    Py_XDECREF(values);
    return mesg;
}

/* (R'R)^-1 in the order of x: a new array of shape (n, n), None if R has a zero on its diagonal, or NULL with an
 * exception. */
static PyObject *
covariance(const MinpackState *lm)
{
    PyObject *cov_x = NULL;     /* owned, returned */
    npy_intp shape[2] = {lm->n, lm->n};

    cov_x = PyArray_ZEROS(2, shape, NPY_DOUBLE, 0);
    if (cov_x != NULL && minpack_covariance(lm, PyArray_DATA((PyArrayObject *)cov_x)) < lm->n)
        Py_SETREF(cov_x, Py_NewRef(Py_None));
    return cov_x;
}

/* An array, borrowed; None for NULL. */
static PyObject *
or_None(PyArrayObject *array)
{
    return array == NULL ? Py_None : (PyObject *)array;
}

/* leastsq's infodict, keys in SciPy's order. A new reference, or NULL with an exception. */
static PyObject *
make_infodict(const Fit *fit)
{
    PyObject *fvec = or_None(fit->fvec), *fjac = or_None(fit->fjac), *ipvt = or_None(fit->ipvt);
    PyObject *qtf = or_None(fit->qtf);

    if (fit->has_jacobian)
        return Py_BuildValue("{s:O,s:i,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", fit->lm.nfev, "njev", fit->lm.njev,
                             "fjac", fjac, "ipvt", ipvt, "qtf", qtf);
    return Py_BuildValue("{s:O,s:i,s:O,s:O,s:O}", "fvec", fvec, "nfev", fit->lm.nfev, "fjac", fjac, "ipvt", ipvt, "qtf",
                         qtf);
}

/* Whether R of the last Jacobian, and hence cov_x, has a NaN or inf. */
static int
r_is_nonfinite(const MinpackState *lm)
{
    int j;

    for (j = 0; j < lm->n; j++)
        if (first_nonfinite(lm->fjac + (size_t)j * lm->ldfjac, j + 1) >= 0)
            return 1;
    return 0;
}

PyObject *
make_outcome(const Fit *fit, int full_output)
{
    const MinpackState *lm = &fit->lm;
    const int success = lm->info >= MINPACK_FTOL && lm->info <= MINPACK_GTOL;
    PyObject *cov_x = NULL;         /* owned */
    PyObject *infodict = NULL;      /* owned */
    PyObject *mesg = NULL;          /* owned */
    PyObject *reports = NULL;       /* owned */
    PyObject *outcome = NULL;       /* owned, returned */

    /* A NaN in the Jacobian, or a quotient that overflowed, may show only in cov_x: the warning needs it. */
    if (success && (full_output || fit->nonfinite.call != 0 || r_is_nonfinite(lm)))
        cov_x = covariance(lm);
    else
        cov_x = Py_NewRef(Py_None);
    if (lm->info == MINPACK_IMPROPER_INPUT && !full_output)
        mesg = options_improper(&fit->options, lm->n);
    else if (full_output || !(success || lm->info == STOPPED))
        mesg = mesg_of(&fit->options, lm->info);
    else
        mesg = Py_NewRef(Py_None);
    if (cov_x == NULL || mesg == NULL)
        goto done;
    /* Reports first: they read arrays that other code can reach once they are in a dict. */
    reports = lm->info == STOPPED ? Py_NewRef(Py_None) : make_reports(fit, cov_x);
    if (reports != NULL)
        infodict = full_output ? make_infodict(fit) : Py_NewRef(Py_None);
    if (infodict != NULL)
        outcome = Py_BuildValue("(OiOOOO)", fit->x, lm->info, infodict, cov_x, mesg, reports);
done:
    Py_XDECREF(cov_x);
    Py_XDECREF(infodict);
    Py_XDECREF(mesg);
    Py_XDECREF(reports);
    return outcome;
}
