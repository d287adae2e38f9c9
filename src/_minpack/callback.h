/* A user's Python functions as MINPACK's residuals and Jacobian. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "masked.h"
#include "minpack.h"
#include "nonfinite.h"
#include "numpy_api.h"

/* What a user gives to be called; every reference is borrowed, NULL where there is none. */
typedef struct {
    const char *caller;     /* for the texts of errors, such as "leastsq" */
    PyObject *func;
    PyObject *Dfun;         /* NULL: forward differences */
    PyObject *args;         /* a tuple */
    int col_deriv;          /* Dfun returns (n, m) */
    int vectorized;         /* func takes points of shape (k, n) and returns (k, m) */
    PyObject *evaluate;     /* evaluate(points), a list of x: a sequence of what func returned at each, for a Jacobian */
    PyObject *callback;     /* callback(intermediate_result=...) after each trial */
    PyObject *refuse;       /* refuse(role, index, call, point, x) raises an error of the first NaN or inf */
} Functions;

typedef struct {
    Functions functions;    /* its references are owned */
    int m;                  /* set by callback_first */
    int n;
    int replay;             /* the solver's first residuals are in fvec already */
    int func_calls;
    int Dfun_calls;
    int lets_go;            /* a factorisation takes long enough to let other threads run meanwhile */
    int lets_go_on;         /* so does a step, even without one */
    int differences;        /* of the next Jacobian that are there already */
    PyThreadState *thread;  /* this thread's while others run; NULL: it holds the GIL */
    NonFinite nonfinite;
    Masked masked;
    PyArray_Descr *float64; /* owned */
    PyObject *x;            /* owned or NULL: the array last handed to a user's function */
    PyObject **stack;       /* owned: a spare slot, x, then args; the entries are borrowed */
    const double *best;     /* n, borrowed or NULL: the best x so far, for functions.refuse */
    void *shown;            /* borrowed or NULL: for functions.callback, see intermediate_result.h */
} Callback;

/* Take references to the functions; n is the length of x. 0, or -1 with an exception. */
int callback_init(Callback *cb, const Functions *functions, int n);

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

/* The residuals at k points at once, where functions.vectorized or functions.evaluate can. */
int callback_points(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec);

/* Whether a fit of this size has factorisations long enough to let other threads run meanwhile. */
int takes_long(int m, int n);

#endif
