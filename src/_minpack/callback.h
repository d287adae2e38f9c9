/* A user's Python functions as MINPACK's residuals and Jacobian. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "nonfinite.h"
#include "numpy_api.h"

/* Where the first masked array came from a user's function; call is 0 if none did. */
typedef struct {
    const char *role;       /* "func" or "Dfun" */
    npy_intp count;         /* of its entries that are masked */
    npy_intp size;          /* of all its entries */
    npy_intp index;         /* of the first masked one; 0-based, in the flattened result */
    int call;               /* 1-based, of that function */
} Masked;

typedef struct {
    PyObject *func;         /* owned */
    PyObject *Dfun;         /* owned, NULL for lmdif */
    PyObject *args;         /* owned, a tuple */
    int col_deriv;          /* Dfun returns (n, m) */
    int m;                  /* set by callback_first */
    int n;
    int replay;             /* the solver's first residuals are in fvec already */
    int func_calls;
    int Dfun_calls;
    int lets_go;            /* a factorisation takes long enough to let other threads run meanwhile */
    int differences;        /* of the next Jacobian that are there already */
    PyThreadState *thread;  /* this thread's while others run; NULL: it holds the GIL */
    NonFinite nonfinite;
    Masked masked;
    PyArray_Descr *float64; /* owned */
    PyObject *x;            /* owned or NULL: the array last handed to a user's function */
    PyObject **stack;       /* owned: a spare slot, x, then args; the entries are borrowed */
} Callback;

/* Take references to the functions and to args; n is the length of x. 0, or -1 with an exception. */
int callback_init(Callback *cb, PyObject *func, PyObject *Dfun, PyObject *args, int col_deriv, int n);

/* Give back all that callback_init and the calls took. Leaves a pending exception alone. */
void callback_clear(Callback *cb);

/* Call func at x for the first time: sets m. Returns a new float64 array of shape (m,) with the residuals, which the
 * solver must be handed as its fvec, and in *eps the machine epsilon of the type that func computed in.
 * NULL with an exception, also if m < n. */
PyObject *callback_first(Callback *cb, const double *x, double *eps);

/* Hold the GIL again, if it was given away; due when the solver has returned. */
void callback_resume(Callback *cb);

/* The solver's call-backs (minpack.h); context is a Callback. 0, or -1 with an exception. They hold the GIL; the one that
 * completes a Jacobian gives it away, if the factorisation that follows takes long, and the next one takes it back. */
int callback_residuals(void *context, int m, int n, const double *x, double *fvec, int purpose);
int callback_jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac);

#endif
