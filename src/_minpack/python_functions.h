/* A user's Python functions as MINPACK's residuals and Jacobian. */
#ifndef PYTHON_FUNCTIONS_H
#define PYTHON_FUNCTIONS_H

#include "fit.h"
#include "numpy_api.h"

/* What the user passed; every reference is borrowed, NULL if there is none. */
typedef struct {
    PyObject *func;
    PyObject *Dfun;         /* NULL: forward differences */
    PyObject *args;         /* a tuple */
    int col_deriv;          /* Dfun returns (n, m) */
    int vectorized;         /* func takes points of shape (k, n) and returns (k, m) */
    PyObject *workers;      /* workers(points), points a list of x, for a Jacobian: returns (a sequence of the residuals
                             * at each, whether func returned them) */
    PyObject *callback;     /* callback(intermediate_result=...) after each trial */
    PyObject *on_nonfinite; /* on_nonfinite(role, index, call, point, x) raises the error for the first NaN or inf */
} Given;

typedef struct {
    Given given;            /* its references are owned */
    Fit *fit;               /* borrowed */
    int replay;             /* fvec already holds the solver's first residuals */
    int differences;        /* number already evaluated for the next Jacobian */
    PyArray_Descr *float64; /* owned */
    PyObject *x;            /* owned or NULL: the array last passed to a user's function */
    PyObject **stack;       /* owned: a spare slot, x, then args; the entries are borrowed */
    void *shown;            /* borrowed or NULL: for given.callback, see intermediate_result.h */
} PythonFunctions;

/* Take references to what the user passed, for a fit whose n is known. Returns 0, or -1 with an exception. */
int python_functions_init(PythonFunctions *functions, const Given *given, Fit *fit);

/* Release what init and the calls took. Keeps a pending exception. */
void python_functions_clear(PythonFunctions *functions);

/* Call func at the fit's x for the first time, which sets m. Returns the residuals, a new float64 array of shape (m,) that
 * must become the solver's fvec, and in *eps the machine epsilon of the type that func computed in. NULL with an
 * exception, also if m < n. */
PyArrayObject *python_first_residuals(PythonFunctions *functions, double *eps);

/* The solver's callbacks (minpack.h); context is a PythonFunctions. They return 0, or -1 with an exception. They hold the
 * GIL, release it if the solver's next step takes long, and the next callback reacquires it. */
int python_residuals(void *context, int m, int n, const double *x, double *fvec, int purpose);
int python_jacobian(void *context, int m, int n, const double *x, double *fjac, int ldfjac);

/* The residuals at k points at once, if func is vectorized or there are workers. */
int python_points(void *context, int m, int n, int k, const double *x, double *fvec, int ldfvec);

#endif
