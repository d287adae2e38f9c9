/* What was answered, residuals or a Jacobian: its shape checked, and copied where the solver wants it. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "convert.h"
#include "masked.h"
#include "nonfinite.h"
#include "numpy_api.h"

/* The shapes that residuals may have. */
typedef enum {
    VECTOR,         /* (m,), or a scalar where m is 1: at one point */
    ROWS,           /* (k, m): at k points */
    EITHER          /* as ROWS, or for one point as VECTOR */
} Shapes;

/* What is expected, and where it is from. */
typedef struct {
    Source source;
    Masked *masked;         /* what to remember of masked arrays */
    NonFinite *nonfinite;   /* what to remember of NaN and inf */
    int owned;              /* references to the object that we own: 1 if a function returned it, 0 if it was given */
    int call;               /* the number of this call of source.role */
    Shapes shapes;          /* of residuals */
    int k;                  /* points that residuals are for */
    int m;                  /* residuals at each point; 0: it is the first call */
    int n;
    int col_deriv;          /* a Jacobian is (n, m) */
} Expected;

/* No array of a user's leaves answers.c: what these three give out is ours alone. */

/* The residuals at one point, the first, which set m: a new float64 array of shape (m,), or NULL with an exception, also if
 * m < n.
 * type: for NumPy's number of their dtype.  GIL: held. */
PyArrayObject *first_residuals(const Expected *expected, PyObject *result, int *type);

/* The machine epsilon of float16 and float32, else float64's: what SciPy takes for epsfcn. */
double type_epsilon(int type);

/* fvec[j * ldfvec ..] <- the residuals at k points. 0, or -1 with an exception and fvec as it was.  GIL: held. */
int take_residuals(const Expected *expected, PyObject *result, double *fvec, int ldfvec);

/* fjac (column-major, m x n) <- the Jacobian. 0, or -1 with an exception; *copied is set once fjac has been written to.
 * GIL: held, but released while much is copied, or now and then: another thread may change the array then, which is seen. */
int take_jacobian(const Expected *expected, PyObject *result, double *fjac, int ldfjac, int *copied);

#endif
