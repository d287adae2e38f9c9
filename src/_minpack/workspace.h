/* The arrays of one fit: those that the user gets, and the solver's work. */
#ifndef WORKSPACE_H
#define WORKSPACE_H

#include "minpack.h"
#include "numpy_api.h"

typedef struct {
    int m;
    int n;
    PyArrayObject *x;       /* owned: (n,) */
    PyArrayObject *fvec;    /* owned: (m,) */
    PyArrayObject *fjac;    /* owned: (n, m), which MINPACK sees as m x n by columns */
    PyArrayObject *ipvt;    /* owned: (n,), int */
    PyArrayObject *qtf;     /* owned: (n,) */
    double *memory;         /* owned: all that follows */
    double *x0;             /* n: where the fit began */
    double *diag;           /* n */
    double *wa1, *wa2, *wa3;    /* n */
    double *wa4;            /* m */
    double *work;           /* lwork; from a cache line on, so that no row of a panel straddles two */
    int lwork;
} Workspace;

/* Make the arrays of a fit that begins at x with residuals fvec; both are stolen, also where it fails. fjac and qtf are
 * zero, ipvt 1 to n, x0 a copy of x, and diag of the user's, unless that is NULL. 0, or -1 with an exception;
 * workspace_clear is due in both cases. */
int workspace_init(Workspace *ws, const Solver *solver, PyArrayObject *x, PyArrayObject *fvec, PyArrayObject *diag);

/* Give back all. Leaves a pending exception alone. */
void workspace_clear(Workspace *ws);

#endif
