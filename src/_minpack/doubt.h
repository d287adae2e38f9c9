/* Whether a fit that is reported as a success failed in fact. */
#ifndef DOUBT_H
#define DOUBT_H

#include "nonfinite.h"
#include "numpy_api.h"

/* A finished fit; every array is the caller's, and as MINPACK left it. */
typedef struct {
    int m;
    int n;
    int info;
    int has_Dfun;           /* else forward differences, by epsfcn */
    int calls_at_x0;        /* calls of func, or tells, that come before the first step is tried */
    double epsfcn;
    const double *typical_x;    /* n, or NULL: MINPACK's steps */
    double ftol;
    double xtol;
    double gtol;
    double factor;
    int has_diag;           /* diag is the user's */
    const NonFinite *nonfinite; /* the first NaN or inf that a function returned, if any */
    const double *x0;       /* n: where it began */
    const double *x;        /* n: where it ended */
    const double *fvec;     /* m */
    const double *fjac;     /* m x n, by columns: R of the last Jacobian in the upper triangle */
    const int *ipvt;        /* n */
    const double *qtf;      /* n */
    const double *diag;     /* n: the scaling D */
    double *wa1;            /* n: work */
    double *wa2;            /* n: work */
} Finished;

/* None where there is nothing to say; or, of a fit with info 1 to 4, all of finite numbers,
 *
 *   ("zero columns", columns, steps, moved)
 *       columns of the last Jacobian, counted from 0, are exactly zero, but the residuals are not; without those whose
 *       x[j] went from x0[j] to 0 or nearly; steps: of the differences that gave them, None with Dfun; moved: whether
 *       every such x[j] is another than x0[j];
 *   ("stuck", column, cosine, step, has_Dfun, role, index, call)
 *       x is x0 to the bit, yet the cosine between the residuals and this column, the largest, is above 0.01, and the
 *       Gauss-Newton step from there is above 1e-6, in units of ||D x||; and no tolerance and no rounding explains it.
 *       role, index, call: fit.nonfinite, role None if there is none.
 *
 * A new reference, or NULL with an exception.  GIL: held. */
PyObject *doubt(const Finished *fit);

#endif
