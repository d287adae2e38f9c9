/* One fit: the solver's state and its arrays. */
#ifndef FIT_H
#define FIT_H

#include "minpack.h"
#include "numpy_api.h"
#include "options.h"

typedef struct {
    LmState lm;             /* its arrays are those below */
    PyArrayObject *x;       /* owned: (n,) */
    PyArrayObject *fvec;    /* owned: (m,) */
    PyArrayObject *fjac;    /* owned: (n, m), which MINPACK sees as m x n by columns */
    PyArrayObject *ipvt;    /* owned: (n,), int */
    PyArrayObject *qtf;     /* owned: (n,) */
    double *memory;         /* owned: x0, and the rest of lm's arrays */
    double *x0;             /* n: where the fit began */
} Fit;

/* Make a fit that begins at x with residuals fvec; both are stolen, also where it fails. fjac and qtf are zero, ipvt 1 to
 * n. The options must outlive it. 0, or -1 with an exception; fit_clear is due in both cases. */
int fit_init(Fit *fit, const Options *options, double epsfcn, PyArrayObject *x, PyArrayObject *fvec);

/* Give back all. Leaves a pending exception alone. */
void fit_clear(Fit *fit);

#endif
