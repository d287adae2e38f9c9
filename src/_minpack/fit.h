/* One fit, whoever evaluates: the solver's state and arrays, the options, and the masked and non-finite values seen. */
#ifndef FIT_H
#define FIT_H

#include "convert.h"
#include "masked.h"
#include "minpack.h"
#include "nonfinite.h"
#include "numpy_api.h"
#include "options.h"

typedef struct {
    MinpackState lm;        /* its arrays are the ones below */
    PyArrayObject *x;       /* owned: (n,) */
    PyArrayObject *fvec;    /* owned: (m,); like the following, NULL until m is known */
    PyArrayObject *fjac;    /* owned: (n, m), which MINPACK sees as m x n, column-major */
    PyArrayObject *ipvt;    /* owned: (n,), int */
    PyArrayObject *qtf;     /* owned: (n,) */
    double *memory;         /* owned: x0 and lm's other arrays */
    double *x0;             /* n: the initial guess */
    Options options;        /* owned */
    Names names;            /* for messages */
    int has_jacobian;       /* the user supplies the Jacobian; otherwise forward differences */
    int calls_at_x0;        /* calls of func, or tells, before the first trial step */
    int func_calls;         /* calls of func, or tells, so far */
    int Dfun_calls;
    Masked masked;
    NonFinite nonfinite;
    PyThreadState *thread;  /* this thread's state while the GIL is released, else NULL */
} Fit;

/* Make malloc keep what one fit frees for the next one. Call it once. */
void keep_freed_memory(void);

/* Begin at x, which is stolen. names, options and has_jacobian are left to the caller. */
void fit_begin(Fit *fit, PyArrayObject *x);

/* Allocate the solver's arrays, m being the length of the first residuals, fvec, which are stolen. qtf is zero, ipvt 1 to
 * n, fjac uninitialised. epsfcn: used if the options have none. Returns 0, or -1 with an exception and the fit unchanged. */
int fit_bind(Fit *fit, PyArrayObject *fvec, double epsfcn);

/* Free what it owns. Keeps a pending exception. */
void fit_clear(Fit *fit);

/* Release the GIL for the solver's next step if that takes long, as a factorisation may. Call fit_resume next. */
void fit_let_go(Fit *fit, int factorises);

/* Reacquire the GIL if it was released. */
void fit_resume(Fit *fit);

#endif
