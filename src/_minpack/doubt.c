/* Whether a fit that is reported as a success failed in fact. */
#include "doubt.h"

#include <math.h>
#include <string.h>

#include "minpack.h"


/* From where on a fit is stuck. */
static const double LEAST_COSINE = 0.01;            /* between the residuals and a column */
static const double LEAST_STEP = 1e-6;              /* Gauss-Newton step, relative to ||D x|| */

/* What excuses a zero column. */
static const double VANISHED = 0.01;                /* x[j] by its size at the start */

/* What excuses a fit that is stuck. */
static const double FEW_TRIALS = 10;                /* step over xtol: one rejected trial may cut so much */
static const double LEAST_SLOPE = 1e-3;             /* relative fall of ||f|| for such a change, where m = n */

/* Column k of R, of which entries 0 to k count. */
static const double *
column_of_r(const Finished *fit, int k)
{
    return fit->fjac + (size_t)k * fit->m;
}

/* Whether column k of the last J P was exactly zero: reflectors leave such a column as it is, and make no other so. */
static int
is_zero_column(const Finished *fit, int k)
{
    const double *r = column_of_r(fit, k);
    int i;

    for (i = 0; i <= k; i++)
        if (r[i] != 0)
            return 0;
    return 1;
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

/* The step of the forward difference in x[j]. A zero column leaves x[j] alone, so it is that of the last Jacobian
 * still. */
static double
difference_step(const Finished *fit, int j)
{
    return minpack_difference_step(fit->x[j], fit->epsfcn, fit->typical_x == NULL ? 0 : fit->typical_x[j]);
}

/* Whether x[j] went to 0, or nearly, and its difference step with it: so it goes at the solution where the data have not
 * the term, or where a bound is kept by a square or the like. A step that the model rounds away leaves x[j] where it
 * began. */
static int
has_vanished(const Finished *fit, int j)
{
    const double size = fit->x0[j] == 0 ? 1 : fabs(fit->x0[j]);

    return !fit->has_Dfun && fit->typical_x == NULL && fit->x[j] != fit->x0[j] && fabs(fit->x[j]) <= VANISHED * size;
}

/* Append an object to a list, stealing it. 0, or -1 with an exception, as where it is NULL. */
static int
append(PyObject *list, PyObject *entry)
{
    int status = -1;

    if (entry != NULL)
        status = PyList_Append(list, entry);
    Py_XDECREF(entry);
    return status;
}

/* ("zero columns", columns, steps, moved) with columns in increasing order, without what is excused; a new reference, or NULL with an exception.
 * is_zero[j]: whether column j of the last Jacobian is. */
static PyObject *
zero_columns(const Finished *fit, const double *is_zero)
{
    PyObject *report = NULL;    /* owned, returned */
    PyObject *columns = NULL;   /* owned */
    PyObject *steps = NULL;     /* owned */
    int j, moved = 1;

    columns = PyList_New(0);
    steps = fit->has_Dfun ? Py_NewRef(Py_None) : PyList_New(0);
    if (columns == NULL || steps == NULL)
        goto done;
    for (j = 0; j < fit->n; j++) {
        if (is_zero[j] == 0 || has_vanished(fit, j))
            continue;
        moved &= fit->x[j] != fit->x0[j];
        if (append(columns, PyLong_FromLong(j)) < 0
                || (!fit->has_Dfun && append(steps, PyFloat_FromDouble(difference_step(fit, j))) < 0))
            goto done;
    }
    report = Py_BuildValue("(sOOi)", "zero columns", columns, steps, moved);
done:
    Py_XDECREF(columns);
    Py_XDECREF(steps);
    return report;
}

/* What the last Jacobian says of its own columns and the residuals. */
typedef struct {
    int column;         /* counted from 0, that of the largest cosine */
    double cosine;      /* the largest in size between the residuals and a column; NaN if any is */
    double slope;       /* relative fall of ||f|| along its gradient for a change of x by its own size */
    double change;      /* of f for such a change, relative to ||f|| */
} Angles;

/* The Angles for residuals of norm fnorm. The size of an x of zero is taken for 1, as MINPACK's differences do. */
static Angles
angles(const Finished *fit, double fnorm)
{
    Angles found = {0};
    double cosine, norm, size;
    int i, j, k;

    for (k = 0; k < fit->n; k++) {
        const double *r = column_of_r(fit, k);

        j = fit->ipvt[k] - 1;
        norm = minpack_enorm(k + 1, r);
        cosine = 0;
        for (i = 0; i <= k; i++)
            cosine += (r[i] / norm) * (fit->qtf[i] / fnorm);
        if (!(fabs(cosine) <= fabs(found.cosine))) {
            found.cosine = cosine;
            found.column = j;
            if (isnan(cosine))
                break;
        }
        size = fit->x[j] == 0 ? 1 : fabs(fit->x[j]);
        fit->wa1[j] = cosine * (norm / fnorm) * size;
        fit->wa2[j] = (norm / fnorm) * size;
    }
    found.slope = minpack_enorm(fit->n, fit->wa1);
    found.change = minpack_enorm(fit->n, fit->wa2);
    return found;
}

/* ||D p|| / ||D x|| with the Gauss-Newton step p, inf at x = 0; a singular R gives zeros from the first zero of its
 * diagonal on, as in lmpar. */
static double
gauss_newton_step(const Finished *fit)
{
    const int n = fit->n;
    double *p = fit->wa1, *scaled = fit->wa2;
    double pnorm;
    int j, nsing;

    minpack_gauss_newton(n, fit->fjac, fit->m, fit->ipvt, fit->qtf, p, scaled, &nsing);
    for (j = 0; j < n; j++)
        scaled[j] = fit->diag[j] * p[j];
    pnorm = minpack_enorm(n, scaled);
    for (j = 0; j < n; j++)
        scaled[j] = fit->diag[j] * fit->x[j];
    return pnorm / minpack_enorm(n, scaled);
}

/* How far the sum of squares would fall by the Gauss-Newton step if func were linear, relative to it. */
static double
predicted_reduction(const Finished *fit, double fnorm)
{
    double reduction = 0;
    int j;

    for (j = 0; j < fit->n; j++)
        reduction += (fit->qtf[j] / fnorm) * (fit->qtf[j] / fnorm);
    return reduction;
}

/* Whether all that the angles say may be so at a solution of the user's tolerances, too: the cosine is asked for by
 * gtol or the reduction by ftol, the gradient's step is about xtol (so it is where ||f|| is rounding), or J of a square
 * problem is nearly zero, as at the least |f| of one function of one variable. */
static int
is_excused(const Finished *fit, double fnorm, const Angles *angle)
{
    const double cosine = fabs(angle->cosine);

    return cosine <= fit->gtol || predicted_reduction(fit, fnorm) <= fit->ftol
        || cosine <= FEW_TRIALS * fit->xtol * angle->change
        || (fit->m == fit->n && angle->slope <= LEAST_SLOPE);
}

/* ("stuck", ...) or None. A new reference, or NULL with an exception. */
static PyObject *
stuck(const Finished *fit)
{
    const double fnorm = minpack_enorm(fit->m, fit->fvec);
    const Angles angle = angles(fit, fnorm);
    double first, step;

    if (!(fabs(angle.cosine) > LEAST_COSINE) || is_excused(fit, fnorm, &angle))
        Py_RETURN_NONE;
    step = gauss_newton_step(fit);
    first = fit->factor < step ? fit->factor : step;    /* the solver's first step, in units of ||D x|| */
    if (!(step > LEAST_STEP) || first <= LEAST_STEP || first <= FEW_TRIALS * fit->xtol)
        Py_RETURN_NONE;
    return Py_BuildValue("(siddizni)", "stuck", angle.column, angle.cosine, step, fit->has_Dfun,
                         fit->nonfinite->role, (Py_ssize_t)fit->nonfinite->index, fit->nonfinite->call);
}

PyObject *
doubt(const Finished *fit)
{
    const int n = fit->n;
    double *is_zero = fit->wa1;
    int any = 0, unexcused = 0, j, k;

    if (fit->info < MINPACK_FTOL || fit->info > MINPACK_GTOL)
        Py_RETURN_NONE;
    for (k = 0; k < n; k++) {
        j = fit->ipvt[k] - 1;
        is_zero[j] = is_zero_column(fit, k);
        any |= is_zero[j] != 0;
        unexcused |= is_zero[j] != 0 && !has_vanished(fit, j);
    }
    if (any && (!unexcused || is_zero_vector(fit->m, fit->fvec)))
        Py_RETURN_NONE;
    if (any)
        return zero_columns(fit, is_zero);
    if (memcmp(fit->x, fit->x0, (size_t)n * sizeof(double)) == 0 && !is_zero_vector(fit->m, fit->fvec))
        return stuck(fit);
    Py_RETURN_NONE;
}
