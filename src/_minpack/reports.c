/* What to warn about when a fit has ended. */
#include "reports.h"

#include <math.h>
#include <string.h>

/* A fit is stuck above all of these. */
static const double LEAST_COSINE = 0.01;            /* between the residuals and a column */
static const double LEAST_STEP = 1e-6;              /* Gauss-Newton step, relative to ||D x||, if x is x0 */
static const double LEAST_STEP_MOVED = 1;           /* likewise, if x has moved */

/* What excuses a zero column. */
static const double VANISHED = 0.01;                /* difference step, relative to that at the start */

/* What excuses a fit that is stuck. */
static const double FEW_TRIALS = 10;                /* step over xtol: one rejected trial may shrink it by this much */
static const double LEAST_SLOPE = 1e-3;             /* relative fall of ||f|| if x changes by its own size, where m = n */
static const double SHRUNK = 0.1;                   /* column relative to D_j, its largest norm so far */
static const double SLIGHT = 1e-3;                  /* change of f for x[j]'s own size, over the largest; if x is x0 */
static const double LOOSE = 100;                    /* predicted reduction over ftol, if x has moved */
static const double GROWN = 10;                     /* ||D x|| over ||D x0||: x0 was not near a minimum of |f| */

/* Whether the first NaN or inf came after a step, which diag and factor determine: in what func returned, or in x alone. */
static int
came_after_a_step(const Fit *fit)
{
    if (fit->nonfinite.role == NULL)
        return first_nonfinite(fit->lm.x, fit->lm.n) >= 0;
    return fit->nonfinite.role != fit->names.Dfun && fit->nonfinite.call > fit->calls_at_x0;
}

/* ("not finite", ...), or None if everything returned is finite. A new reference, or NULL. */
static PyObject *
nonfinite_report(const Fit *fit, PyObject *cov_x)
{
    const MinpackState *lm = &fit->lm;
    const NonFinite *origin = &fit->nonfinite;
    const char *what = NULL;
    npy_intp index;

    if (origin->call != 0 && first_nonfinite(lm->fvec, lm->m) >= 0)
        what = "fvec";
    else if (first_nonfinite(lm->x, lm->n) >= 0)
        what = "x";
    else if (cov_x != Py_None && first_nonfinite(PyArray_DATA((PyArrayObject *)cov_x),
                                                 PyArray_SIZE((PyArrayObject *)cov_x)) >= 0)
        what = "cov_x";
    if (what == NULL)
        Py_RETURN_NONE;
    index = first_nonfinite(fit->x0, lm->n);
    if (index >= 0)
        return Py_BuildValue("(sssni)", "not finite", what, "x0", (Py_ssize_t)index, 0);
    if (came_after_a_step(fit)) {
        if (isnan(lm->factor))
            return Py_BuildValue("(sssni)", "not finite", what, "factor", (Py_ssize_t)0, 0);
        index = fit->options.vectors.diag != NULL ? first_nonfinite(lm->diag, lm->n) : -1;
        if (index >= 0)
            return Py_BuildValue("(sssni)", "not finite", what, "diag", (Py_ssize_t)index, 0);
    }
    return Py_BuildValue("(sszni)", "not finite", what, origin->role, (Py_ssize_t)origin->index, origin->call);
}

static int
is_zero_vector(int size, const double *v)
{
    int i;

    for (i = 0; i < size; i++)
        if (v[i] != 0)
            return 0;
    return 1;
}

/* Whether x[j], and its difference step with it, went to 0 or nearly, as it does at a solution if the data lack that term,
 * or if a square or the like keeps a bound. A step that the model rounds away leaves x[j] where it began. */
static int
has_vanished(const Fit *fit, int j)
{
    const MinpackState *lm = &fit->lm;
    const double x = lm->x[j];

    return !fit->has_jacobian && x != fit->x0[j]
        && (x == 0 || minpack_difference_step(lm, j, x) <= VANISHED * minpack_difference_step(lm, j, fit->x0[j]));
}

/* The forward-difference step in x[j]. A zero column leaves x[j] alone, so it is still that of the last Jacobian. */
static double
step_of(const Fit *fit, int j)
{
    return minpack_difference_step(&fit->lm, j, fit->lm.x[j]);
}

/* Append entry to a list, stealing it. Returns 0, or -1 with an exception, also if entry is NULL. */
static int
append(PyObject *list, PyObject *entry)
{
    int status = -1;

    if (entry != NULL)
        status = PyList_Append(list, entry);
    Py_XDECREF(entry);
    return status;
}

/* ("zero columns", ...), columns in increasing order, without those excused. is_zero[j]: whether column j of the last
 * Jacobian is zero. A new reference, or NULL. */
static PyObject *
zero_columns(const Fit *fit, const double *is_zero)
{
    PyObject *report = NULL;    /* owned, returned */
    PyObject *columns = NULL;   /* owned */
    PyObject *steps = NULL;     /* owned */
    int j, moved = 1;

    columns = PyList_New(0);
    steps = fit->has_jacobian ? Py_NewRef(Py_None) : PyList_New(0);
    if (columns == NULL || steps == NULL)
        goto done;
    for (j = 0; j < fit->lm.n; j++) {
        if (is_zero[j] == 0 || has_vanished(fit, j))
            continue;
        moved &= fit->lm.x[j] != fit->x0[j];
        if (append(columns, PyLong_FromLong(j)) < 0
                || (!fit->has_jacobian && append(steps, PyFloat_FromDouble(step_of(fit, j))) < 0))
            goto done;
    }
    report = Py_BuildValue("(sOOi)", "zero columns", columns, steps, moved);
done:
    Py_XDECREF(columns);
    Py_XDECREF(steps);
    return report;
}

/* Whether x0 is small, rather than J: ||D x|| grew, as it does not near a minimum of |f|, or the first trial, factor times
 * x0 away, changed so little that it ended the fit. A single function of one variable may do the latter at a minimum of
 * |f|, too. */
static int
began_small(const Fit *fit)
{
    const MinpackState *lm = &fit->lm;
    const int trials = lm->nfev - 1 - (fit->has_jacobian ? 0 : lm->n);  /* an upper bound */
    double before;
    int j;

    if (lm->n > 1 && trials == 1)
        return 1;
    for (j = 0; j < lm->n; j++) {
        lm->wa1[j] = lm->diag[j] * fit->x0[j];
        lm->wa2[j] = lm->diag[j] * lm->x[j];
    }
    before = minpack_enorm(lm->n, lm->wa1);
    return minpack_enorm(lm->n, lm->wa2) > GROWN * before;
}

/* Whether the Jacobian may look like this at a solution within the user's tolerances, too: gtol allows the cosine or ftol
 * the reduction, the gradient's step is about xtol (as it is where ||f|| is rounding error), or J of a square problem is
 * nearly zero, as at a minimum of |f| of one function of one variable. */
static int
is_excused(const Fit *fit, int moved, const MinpackDeparture *found)
{
    const MinpackState *lm = &fit->lm;
    const double cosine = fabs(found->cosine);

    if (moved && (found->reduction <= LOOSE * lm->ftol || cosine * cosine <= lm->ftol))
        return 1;
    return cosine <= lm->gtol || found->reduction <= lm->ftol || cosine <= FEW_TRIALS * lm->xtol * found->change
        || (lm->m == lm->n && found->slope <= LEAST_SLOPE && !began_small(fit));
}

/* ("stuck", ...) or None. A new reference, or NULL with an exception.
 *
 * If x has moved, a short column does not count: its parameter ran off, or is at a bound that a transformation keeps. With
 * the user's diag, shortness cannot be judged. */
static PyObject *
stuck(const Fit *fit, int moved)
{
    const MinpackState *lm = &fit->lm;
    MinpackDeparture found;
    double first, step;

    if (moved && fit->options.vectors.diag != NULL)
        Py_RETURN_NONE;
    minpack_step(lm->n, lm->x, lm->fjac, lm->ldfjac, lm->ipvt, lm->qtf, lm->diag, moved ? SHRUNK : 0,
                 &step, lm->wa1, lm->wa2);
    first = lm->factor < step ? lm->factor : step;      /* the solver's first step, in units of ||D x|| */
    if (!(step > (moved ? LEAST_STEP_MOVED : LEAST_STEP)) || first <= LEAST_STEP || first <= FEW_TRIALS * lm->xtol)
        Py_RETURN_NONE;
    minpack_departure(lm->m, lm->n, lm->x, lm->fvec, lm->fjac, lm->ldfjac, lm->ipvt, lm->qtf, lm->diag,
                      moved ? SHRUNK : 0, moved ? 0 : SLIGHT, &found, lm->wa1, lm->wa2);
    if (!(fabs(found.cosine) > LEAST_COSINE) || is_excused(fit, moved, &found))
        Py_RETURN_NONE;
    return Py_BuildValue("(siddiizni)", "stuck", found.column - 1, found.cosine, step, moved, fit->has_jacobian,
                         fit->nonfinite.role, (Py_ssize_t)fit->nonfinite.index, fit->nonfinite.call);
}

/* ("zero columns", ...), ("stuck", ...), or None: whether a fit reported as a success in fact failed. A new reference, or
 * NULL. */
static PyObject *
doubt(const Fit *fit)
{
    const MinpackState *lm = &fit->lm;
    double *is_zero = lm->wa1;
    int any = 0, unexcused = 0, j, k;

    if (lm->info < MINPACK_FTOL || lm->info > MINPACK_GTOL || is_zero_vector(lm->m, lm->fvec))
        Py_RETURN_NONE;
    for (k = 0; k < lm->n; k++) {
        j = lm->ipvt[k] - 1;
        /* R's column: reflectors leave a zero column of J P as it is, and make no other column zero. */
        is_zero[j] = is_zero_vector(k + 1, lm->fjac + (size_t)k * lm->ldfjac);
        any |= is_zero[j] != 0;
        unexcused |= is_zero[j] != 0 && !has_vanished(fit, j);
    }
    if (unexcused)
        return zero_columns(fit, is_zero);
    if (any)
        Py_RETURN_NONE;
    return stuck(fit, memcmp(lm->x, fit->x0, (size_t)lm->n * sizeof(double)) != 0);
}

PyObject *
make_reports(const Fit *fit, PyObject *cov_x)
{
    PyObject *all[2] = {NULL, NULL};    /* owned */
    PyObject *reports = NULL;           /* owned, returned */
    int i;

    all[0] = masked_report(&fit->masked);
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
