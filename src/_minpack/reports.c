/* What there is to say of a fit besides its numbers. */
#include "reports.h"

#include <math.h>
#include <string.h>

/* ("masked", ...), or None if no entry was masked. A new reference, or NULL. */
static PyObject *
masked_report(const Masked *masked)
{
    if (masked->call == 0)
        Py_RETURN_NONE;
    return Py_BuildValue("(ssnnni)", "masked", masked->role, (Py_ssize_t)masked->count, (Py_ssize_t)masked->size,
                         (Py_ssize_t)masked->index, masked->call);
}

/* Whether the first NaN or inf came when a step had been taken, which diag and factor decide: what func returned then,
 * or x alone. */
static int
came_after_a_step(const Finished *fit)
{
    if (fit->nonfinite->role == NULL)
        return first_nonfinite(fit->x, fit->n) >= 0;
    return strcmp(fit->nonfinite->role, "Dfun") != 0 && fit->nonfinite->call > fit->calls_at_x0;
}

/* ("not finite", ...), or None if all that is returned is finite. A new reference, or NULL. */
static PyObject *
nonfinite_report(const Finished *fit, PyObject *cov_x)
{
    const NonFinite *origin = fit->nonfinite;
    const char *what = NULL;
    npy_intp index;

    if (origin->call != 0 && first_nonfinite(fit->fvec, fit->m) >= 0)
        what = "fvec";
    else if (first_nonfinite(fit->x, fit->n) >= 0)
        what = "x";
    else if (cov_x != Py_None && first_nonfinite(PyArray_DATA((PyArrayObject *)cov_x),
                                                 PyArray_SIZE((PyArrayObject *)cov_x)) >= 0)
        what = "cov_x";
    if (what == NULL)
        Py_RETURN_NONE;
    index = first_nonfinite(fit->x0, fit->n);
    if (index >= 0)
        return Py_BuildValue("(sssni)", "not finite", what, "x0", (Py_ssize_t)index, 0);
    if (came_after_a_step(fit)) {
        if (isnan(fit->factor))
            return Py_BuildValue("(sssni)", "not finite", what, "factor", (Py_ssize_t)0, 0);
        index = fit->has_diag ? first_nonfinite(fit->diag, fit->n) : -1;
        if (index >= 0)
            return Py_BuildValue("(sssni)", "not finite", what, "diag", (Py_ssize_t)index, 0);
    }
    return Py_BuildValue("(sszni)", "not finite", what, origin->role, (Py_ssize_t)origin->index, origin->call);
}

PyObject *
make_reports(const Masked *masked, const Finished *fit, PyObject *cov_x)
{
    PyObject *all[2] = {NULL, NULL};    /* owned */
    PyObject *reports = NULL;           /* owned, returned */
    int i;

    all[0] = masked_report(masked);
    all[1] = nonfinite_report(fit, cov_x);
    if (all[1] == Py_None)
        Py_SETREF(all[1], doubt(fit));
    if (all[0] == NULL || all[1] == NULL)
        goto done;
    if (all[0] == Py_None && all[1] == Py_None) {
        reports = Py_NewRef(Py_None);
        goto done;
    }
    reports = PyList_New(0);
    for (i = 0; i < 2 && reports != NULL; i++)
        if (all[i] != Py_None && PyList_Append(reports, all[i]) < 0)
            Py_CLEAR(reports);
done:
    Py_XDECREF(all[0]);
    Py_XDECREF(all[1]);
    return reports;
}
