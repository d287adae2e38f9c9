/* What was answered, residuals or a Jacobian: its shape checked, and copied where the solver wants it. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "convert.h"
#include "masked.h"
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
    int call;               /* the number of this call of source.role */
    Shapes shapes;          /* of residuals */
    int k;                  /* points that residuals are for */
    int m;                  /* residuals at each point; 0: it is the first call */
    int n;
    int col_deriv;          /* a Jacobian is (n, m) */
} Expected;

/* The residuals at k points, in rows or one row alone, as a contiguous float64 array; a new reference, or NULL with an
 * exception.
 * type: NULL, or for NumPy's number of their dtype.  GIL: held. */
PyArrayObject *as_residuals(const Expected *expected, PyObject *result, int *type);

/* The machine epsilon of float16 and float32, else float64's: what SciPy takes for epsfcn. */
double type_epsilon(int type);

/* Refuse fewer residuals than variables, in SciPy's words, which go on where func returned a scalar.
 * residuals: of as_residuals, at one point; size: how many they are. */
void raise_too_few(const Expected *expected, PyArrayObject *residuals, npy_intp size);

/* fjac (column-major, m x n) <- the Jacobian. 0, or -1 with an exception; *copied is set once fjac has been written to.
 * GIL: held, but given away for a moment now and then while much is copied: another thread may change the array then,
 * which is seen. */
int take_jacobian(const Expected *expected, PyObject *result, double *fjac, int ldfjac, int *copied);

#endif
